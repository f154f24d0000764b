#pragma once

#include <array>
#include <span>
#include <vector>

#include "aetos/analysis/triangulation.hpp"
#include "grains.hpp"

/// Dislocations by Burgers circuits round the triangles of the Delaunay triangulation.
namespace aetos::analysis {

struct Dislocation {
  std::array<int, 3>
      burgers{};  ///< in halves of the cube's edge, in the crystal's axes; [1 1 0] is a perfect one of FCC
  Vec3 burgers_A = Vec3::Zero();  ///< in the specimen's axes, with the lattice of the grain that it lies in
  Vec3 place = Vec3::Zero();      ///< mean of its line
  Vec3 direction = Vec3::Zero();  ///< of the line, a unit vector
  double length_A = 0;            ///< from end to end
  std::size_t grain = 0, other = 0;  ///< grains beside it: equal inside one grain
  /// Lines that cross: the entry is what runs in one direction, its vector the sum over all lines there.
  bool network = false;
  std::vector<std::size_t> atoms;  ///< corners of the circuits that do not close, ascending
  /// Between line and Burgers vector, 0 (screw) to 90 (edge).
  double character_deg() const;
};

/// Grains that meet at a boundary of less than `kSmallAngle_deg` share one lattice, so that misfit and
/// small-angle boundaries are networks of dislocations; across larger angles there is no common lattice. Each
/// edge of a tetrahedron, in the axes of its atoms' grains and in units of their lattices, stands for the
/// nearest vector of the lattice. A triangle whose three do not add up to zero has a dislocation through it
/// (Frank 1951: the closure failure in the perfect crystal is the Burgers vector); the tetrahedra that share
/// such triangles are its line, or a network of lines that cross, which has an entry for each direction.
/// Atoms of no grain with six neighbours in one or more take the frame of most of these. Lines shorter than
/// two bonds are left out. `alpha`: the tetrahedra of the sample. By falling length.
inline constexpr double kSmallAngle_deg = 15;
std::vector<Dislocation> dislocations(std::span<const Vec3> points, const Neighbourhood& neighbours,
                                      std::span<const Tetrahedron> alpha, std::span<const Grain> grains);

}  // namespace aetos::analysis
