#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/parallel/communicator.hpp"

namespace aetos::reconstruction {

/// Fourier shell correlation (Harauz and van Heel 1986, eq. 2) of two volumes, over shells one reciprocal
/// pixel of the shortest axis thick, up to half a cycle per voxel.
struct ShellCurve {
  std::vector<double> frequency;    ///< middle of each shell, cycles per voxel
  std::vector<double> correlation;  ///< NaN where a volume has nothing in the shell
};

/// Half the opening of the cones about an axis in which a resolution along it is taken (conical shell
/// correlation, Diebolder et al. 2015).
inline constexpr double kConeDegrees = 30;

/// The correlation over whole shells, and over their parts within kConeDegrees of each axis.
struct ShellCurves {
  ShellCurve all;
  std::array<ShellCurve, 3> along;  ///< x, y, z
};

/// Of volumes (z, rows of this rank, x) with `ny` rows on all ranks, dealt in blocks. The same bits on any
/// number of ranks. Collective.
ShellCurves shell_correlation(const Communicator& comm, View<const float, 3> a, View<const float, 3> b,
                              std::size_t ny);

/// Where the curve first falls below `level`, interpolated; NaN if it never does.
double crossing(const ShellCurve& curve, double level);

/// The curve and its crossings of 0.5 and 0.143 with frequencies in 1/Å, and those along x, y and z under
/// `directions`; null for what does not exist.
nlohmann::json describe(const ShellCurves& curves, double voxel_A);

}  // namespace aetos::reconstruction
