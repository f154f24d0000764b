#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "aetos/analysis/triangulation.hpp"

/// Shapes about and between atoms: Voronoi cells and tetrahedral sites.
namespace aetos::analysis {

/// Cell of one atom. `index` counts its faces with 3, 4, 5 and 6 edges, `coordination` all faces; all are 0
/// for an open cell.
struct VoronoiIndex {
  std::array<int, 4> index{};
  int coordination = 0;
  friend bool operator==(const VoronoiIndex&, const VoronoiIndex&) = default;
};

/// Plain (not radical) cells: the cell among all atoms, faces below 1 % of its surface dropped, the cell
/// built anew from the neighbours that stay (Yang et al., Nature 592 (2021) 60, its published code;
/// docs/analysis.md).
std::vector<VoronoiIndex> voronoi_indices(std::span<const Vec3> points, const Triangulation& triangulation);

/// A tetrahedron that is a site: circumradius below alpha, no edge longer than the cutoff, the longest at
/// most `kNearRegular` times the mean edge (Yuan et al., Nature Materials 21 (2022) 95).
inline constexpr double kNearRegular = 1.255;
std::vector<Tetrahedron> near_regular_tetrahedra(std::span<const Vec3> points,
                                                 std::span<const Tetrahedron> alpha, double cutoff_A);
Vec3 centroid(std::span<const Vec3> points, const Tetrahedron& tetrahedron);

}  // namespace aetos::analysis
