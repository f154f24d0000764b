#pragma once

#include <span>
#include <vector>

#include "grains.hpp"

/// What lies between grains and about them: boundaries with their misorientations, {111} facets.
namespace aetos::analysis {

/// Where two grains meet.
struct GrainBoundary {
  std::size_t first = 0, second = 0;  ///< grains
  std::vector<std::size_t> contact;   ///< atoms of both, ascending
  /// Of the plane through the middles between facing atoms, towards `second`; and the middles' rms distance
  /// from it.
  Vec3 normal = Vec3::Zero();
  double flatness_A = 0;
  double misorientation_deg = 0;
  /// The rotation's part about the normal, and what is left of it, about an axis in the plane.
  double twist_deg = 0, bend_deg = 0;
  std::size_t sites = 0, coherent_sites = 0;
  double coherency() const {
    return sites ? static_cast<double>(coherent_sites) / static_cast<double>(sites) : 0;
  }
};

/// Boundaries with at least 8 facing pairs, nearer than `reach_A`. A site is where the lattice of a contact
/// atom's grain, carried on, has a neighbour on the other grain's side; it is coherent if an atom of the
/// other grain lies within 0.3 bond lengths of it.
std::vector<GrainBoundary> grain_boundaries(std::span<const Vec3> points, std::span<const Grain> grains,
                                            double reach_A);

/// Atoms of a grain with fewer than 12 neighbours in it, and those of them that lie on a {111} facet: of
/// their neighbours in the grain none lies beyond the plane, at least 4 lie in it (6 in the middle of a
/// facet, 4 at its edge), and the plane through these is within 5 degrees of the {111}.
struct Facets {
  std::vector<std::size_t> atoms;  ///< on a {111}
  std::size_t boundary_atoms = 0;
};
Facets facets_111(std::span<const Vec3> points, const Neighbourhood& neighbours, const Grain& grain);

}  // namespace aetos::analysis
