#pragma once

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

/// Of volumes (z, rows of this rank, x) with `ny` rows on all ranks, dealt in blocks. The same bits on any
/// number of ranks. Collective.
ShellCurve shell_correlation(const Communicator& comm, View<const float, 3> a, View<const float, 3> b,
                             std::size_t ny);

/// Where the curve first falls below `level`, interpolated; NaN if it never does.
double crossing(const ShellCurve& curve, double level);

/// The curve and its crossings of 0.5 and 0.143 with frequencies in 1/Å; null for what does not exist.
nlohmann::json describe(const ShellCurve& curve, double voxel_A);

}  // namespace aetos::reconstruction
