#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "aetos/core/geometry.hpp"

namespace aetos::analysis {

struct Tetrahedron {
  std::array<std::size_t, 4> atoms{};  ///< ascending
  double volume_A3 = 0;
  double circumradius_A = 0;  ///< infinite where the four atoms are flat to rounding
};

/// One face of a Voronoi cell, between an atom and a neighbour.
struct VoronoiFace {
  std::size_t neighbour = 0;
  double area_A2 = 0;
  int edges = 0;  ///< corners at one place (within 1e-9 Å) count once
};

/// Delaunay triangulation of points in free space and its dual, by CGAL with exact predicates: perfect
/// lattices and points in a plane are as good as any. Of points at the same place the first counts; the
/// others belong to no tetrahedron. The answer does not depend on the order of insertion.
class Triangulation {
 public:
  explicit Triangulation(std::span<const Vec3> points);
  ~Triangulation();
  Triangulation(Triangulation&&) noexcept;
  Triangulation& operator=(Triangulation&&) noexcept;

  /// Sorted by their atoms. None for fewer than four points or points in a plane.
  const std::vector<Tetrahedron>& tetrahedra() const { return tetrahedra_; }
  /// Faces of the Voronoi cell of a point, by ascending neighbour; none if the cell is open (a point of the
  /// hull) or the point shares its place with an earlier one.
  std::optional<std::vector<VoronoiFace>> voronoi_cell(std::size_t point) const;

 private:
  struct Mesh;
  std::unique_ptr<Mesh> mesh_;
  std::vector<Tetrahedron> tetrahedra_;
};

/// The alpha shape: tetrahedra of circumradius below alpha.
std::vector<Tetrahedron> alpha_shape(const Triangulation& triangulation, double alpha_A);
/// Of a tetrahedron that is not flat.
Vec3 circumcentre(std::span<const Vec3> points, const Tetrahedron& tetrahedron);
double total_volume_A3(std::span<const Tetrahedron> tetrahedra);
/// Share of the full solid angle about each of the points that the tetrahedra fill: 1 inside, less at a
/// surface.
std::vector<double> filled_solid_angle(std::span<const Vec3> points, std::span<const Tetrahedron> tetrahedra);

}  // namespace aetos::analysis
