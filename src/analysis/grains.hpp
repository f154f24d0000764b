#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "aetos/analysis/neighbourhood.hpp"
#include "aetos/analysis/phases.hpp"

/// Grains of face-centred cubic zirconium (the metal, and the Zr of cubic ZrO2) and how they are turned.
namespace aetos::analysis {

/// Unit vectors to the twelve neighbours of FCC, in the axes of its cube.
const std::array<Vec3, 12>& fcc_neighbours();

/// The rotation R (crystal to specimen) that best fits the neighbours of an atom by R times those of FCC;
/// none with fewer than 9 neighbours among the 12 nearest or a misfit above 0.3 (rms, of unit vectors).
std::optional<Mat3> local_orientation(std::span<const Vec3> points, const Neighbourhood& neighbours,
                                      std::size_t atom);

/// `to` after the symmetry of the cube that turns it nearest to `from`, as the rotation from -> to.
Mat3 least_rotation(const Mat3& from, const Mat3& to);
double angle_deg(const Mat3& rotation);

struct Grain {
  Phase phase = Phase::metal;
  std::vector<std::size_t> atoms;       ///< ascending
  Mat3 orientation = Mat3::Identity();  ///< rotation of the lattice that best fits the bonds within the grain
  double bond_A = 0;                    ///< of that lattice
};

/// Connected atoms of one crystalline phase whose local orientations differ by less than 4 degrees from
/// neighbour to neighbour, at least 30, and the atoms of that phase at their border; the largest first. Two
/// grains of one phase that are turned by less than that are one.
std::vector<Grain> find_grains(std::span<const Vec3> points, const Neighbourhood& neighbours,
                               std::span<const Phase> phases);

}  // namespace aetos::analysis
