#include "aetos/analysis/triangulation.hpp"

#include <CGAL/Delaunay_triangulation_3.h>
#include <CGAL/Delaunay_triangulation_cell_base_3.h>
#include <CGAL/Exact_predicates_inexact_constructions_kernel.h>
#include <CGAL/Triangulation_vertex_base_with_info_3.h>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/core/units.hpp"

namespace aetos::analysis {
namespace {

using Kernel = CGAL::Exact_predicates_inexact_constructions_kernel;
using VertexBase = CGAL::Triangulation_vertex_base_with_info_3<std::size_t, Kernel>;
using Structure3 =
    CGAL::Triangulation_data_structure_3<VertexBase, CGAL::Delaunay_triangulation_cell_base_3<Kernel>>;
using Delaunay = CGAL::Delaunay_triangulation_3<Kernel, Structure3>;

constexpr double kSamePlace_A = 1e-9;
/// Below this (six times the volume, Å³) the circumcentre of a tetrahedron is rounding only. Its dual corner
/// coincides with those of its neighbours (four atoms of a lattice's square, say) and is left out.
constexpr double kFlat_A3 = 1e-7;

Vec3 place(const Delaunay::Point& p) {
  return {p.x(), p.y(), p.z()};
}

Mat3 edges_from_first(const Delaunay::Cell_handle& cell) {
  Mat3 edges;
  for (int k = 0; k < 3; ++k)
    edges.row(k) = place(cell->vertex(k + 1)->point()) - place(cell->vertex(0)->point());
  return edges;
}

/// From the first corner of a tetrahedron to its circumcentre; none if it is flat.
std::optional<Vec3> towards_circumcentre(const Mat3& edges, double flat) {
  if (std::abs(edges.determinant()) <= flat) return std::nullopt;
  const Vec3 half_squares = 0.5 * edges.rowwise().squaredNorm();
  return edges.inverse() * half_squares;
}

Tetrahedron tetrahedron(const Delaunay::Cell_handle& cell) {
  Tetrahedron t;
  for (int k = 0; k < 4; ++k) t.atoms[static_cast<std::size_t>(k)] = cell->vertex(k)->info();
  std::sort(t.atoms.begin(), t.atoms.end());
  const Mat3 edges = edges_from_first(cell);
  t.volume_A3 = std::abs(edges.determinant()) / 6;
  const auto centre = towards_circumcentre(edges, 1e-9);
  t.circumradius_A = centre ? centre->norm() : std::numeric_limits<double>::infinity();
  return t;
}

double polygon_area(const std::vector<Vec3>& corners) {
  Vec3 sum = Vec3::Zero();
  for (std::size_t k = 2; k < corners.size(); ++k)
    sum += (corners[k - 1] - corners[0]).cross(corners[k] - corners[0]);
  return 0.5 * sum.norm();
}

std::vector<Vec3> without_repeats(const std::vector<Vec3>& corners) {
  std::vector<Vec3> out;
  for (const Vec3& c : corners)
    if (out.empty() || (c - out.back()).norm() > kSamePlace_A) out.push_back(c);
  while (out.size() > 1 && (out.front() - out.back()).norm() <= kSamePlace_A) out.pop_back();
  return out;
}

}  // namespace

struct Triangulation::Mesh {
  Delaunay delaunay;
  std::vector<Delaunay::Vertex_handle> vertex_of;  ///< by point; null for a repeated place
};

Triangulation::Triangulation(std::span<const Vec3> points) : mesh_(std::make_unique<Mesh>()) {
  std::vector<std::pair<Delaunay::Point, std::size_t>> sites;
  sites.reserve(points.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    sites.emplace_back(Delaunay::Point(points[i].x(), points[i].y(), points[i].z()), i);
  // Of equal places keep the lowest index, whatever order CGAL inserts them in.
  std::sort(sites.begin(), sites.end());
  sites.erase(std::unique(sites.begin(), sites.end(),
                          [](const auto& a, const auto& b) { return a.first == b.first; }),
              sites.end());
  mesh_->delaunay.insert(sites.begin(), sites.end());
  mesh_->vertex_of.resize(points.size());
  for (const auto v : mesh_->delaunay.finite_vertex_handles()) mesh_->vertex_of[v->info()] = v;
  if (mesh_->delaunay.dimension() < 3) return;
  for (const auto cell : mesh_->delaunay.finite_cell_handles()) tetrahedra_.push_back(tetrahedron(cell));
  std::sort(tetrahedra_.begin(), tetrahedra_.end(),
            [](const Tetrahedron& a, const Tetrahedron& b) { return a.atoms < b.atoms; });
}
Triangulation::~Triangulation() = default;
Triangulation::Triangulation(Triangulation&&) noexcept = default;
Triangulation& Triangulation::operator=(Triangulation&&) noexcept = default;

std::optional<std::vector<VoronoiFace>> Triangulation::voronoi_cell(std::size_t point) const {
  const Delaunay& d = mesh_->delaunay;
  const auto vertex = mesh_->vertex_of[point];
  if (d.dimension() < 3 || vertex == Delaunay::Vertex_handle()) return std::nullopt;
  std::vector<Delaunay::Edge> edges;
  d.finite_incident_edges(vertex, std::back_inserter(edges));
  std::vector<VoronoiFace> faces;
  for (const auto& edge : edges) {
    const auto first = edge.first->vertex(edge.second), second = edge.first->vertex(edge.third);
    std::vector<Vec3> corners;
    auto cell = d.incident_cells(edge);
    const auto start = cell;
    do {
      if (d.is_infinite(cell)) return std::nullopt;
      const Delaunay::Cell_handle here = cell;
      if (const auto centre = towards_circumcentre(edges_from_first(here), kFlat_A3))
        corners.push_back(place(here->vertex(0)->point()) + *centre);
    } while (++cell != start);
    corners = without_repeats(corners);
    faces.push_back({(first == vertex ? second : first)->info(), polygon_area(corners),
                     static_cast<int>(corners.size())});
  }
  std::sort(faces.begin(), faces.end(),
            [](const auto& a, const auto& b) { return a.neighbour < b.neighbour; });
  return faces;
}

std::vector<Tetrahedron> alpha_shape(const Triangulation& triangulation, double alpha_A) {
  std::vector<Tetrahedron> kept;
  for (const auto& t : triangulation.tetrahedra())
    if (t.circumradius_A < alpha_A) kept.push_back(t);
  return kept;
}

Vec3 circumcentre(std::span<const Vec3> points, const Tetrahedron& t) {
  Mat3 edges;
  for (int k = 0; k < 3; ++k)
    edges.row(k) = points[t.atoms[static_cast<std::size_t>(k) + 1]] - points[t.atoms[0]];
  const auto centre = towards_circumcentre(edges, 0);
  return centre ? Vec3(points[t.atoms[0]] + *centre) : points[t.atoms[0]];
}

double total_volume_A3(std::span<const Tetrahedron> tetrahedra) {
  double sum = 0;
  for (const auto& t : tetrahedra) sum += t.volume_A3;
  return sum;
}

std::vector<double> filled_solid_angle(std::span<const Vec3> points,
                                       std::span<const Tetrahedron> tetrahedra) {
  std::vector<double> share(points.size());
  for (const auto& t : tetrahedra)
    for (std::size_t k = 0; k < 4; ++k) {
      std::array<Vec3, 3> u;
      for (std::size_t m = 0; m < 3; ++m)
        u[m] = (points[t.atoms[(k + m + 1) % 4]] - points[t.atoms[k]]).normalized();
      // van Oosterom and Strackee, IEEE Trans. Biomed. Eng. 30 (1983) 125, eq. 8
      const double above = std::abs(u[0].dot(u[1].cross(u[2])));
      const double below = 1 + u[0].dot(u[1]) + u[1].dot(u[2]) + u[2].dot(u[0]);
      share[t.atoms[k]] += 2 * std::atan2(above, below) / (4 * kPi);
    }
  return share;
}

}  // namespace aetos::analysis
