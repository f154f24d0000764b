#include "aetos/analysis/polyhedra.hpp"

#include <algorithm>

namespace aetos::analysis {
namespace {

constexpr double kSmallFace = 0.01;  ///< of the cell's surface

/// Neighbours whose faces are large enough.
std::vector<Vec3> lasting_neighbours(std::span<const Vec3> points, const std::vector<VoronoiFace>& faces) {
  double surface = 0;
  for (const auto& f : faces) surface += f.area_A2;
  std::vector<Vec3> places;
  for (const auto& f : faces)
    if (f.area_A2 >= kSmallFace * surface) places.push_back(points[f.neighbour]);
  return places;
}

}  // namespace

std::vector<VoronoiIndex> voronoi_indices(std::span<const Vec3> points, const Triangulation& triangulation) {
  std::vector<VoronoiIndex> indices(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto cell = triangulation.voronoi_cell(i);
    if (!cell) continue;
    auto places = lasting_neighbours(points, *cell);
    places.insert(places.begin(), points[i]);
    const auto anew = Triangulation(places).voronoi_cell(0);
    if (!anew) continue;
    for (const auto& face : *anew) {
      if (face.edges < 3) continue;  // four cells meet at a line of no length: no face
      ++indices[i].coordination;
      if (face.edges <= 6) ++indices[i].index[static_cast<std::size_t>(face.edges) - 3];
    }
  }
  return indices;
}

std::vector<Tetrahedron> near_regular_tetrahedra(std::span<const Vec3> points,
                                                 std::span<const Tetrahedron> alpha, double cutoff_A) {
  std::vector<Tetrahedron> sites;
  for (const auto& t : alpha) {
    double longest = 0, sum = 0;
    for (std::size_t a = 0; a < 4; ++a)
      for (std::size_t b = a + 1; b < 4; ++b) {
        const double edge = (points[t.atoms[a]] - points[t.atoms[b]]).norm();
        longest = std::max(longest, edge);
        sum += edge;
      }
    if (longest <= cutoff_A && longest <= kNearRegular * sum / 6) sites.push_back(t);
  }
  return sites;
}

Vec3 centroid(std::span<const Vec3> points, const Tetrahedron& t) {
  return 0.25 * (points[t.atoms[0]] + points[t.atoms[1]] + points[t.atoms[2]] + points[t.atoms[3]]);
}

}  // namespace aetos::analysis
