#include "aetos/analysis/polyhedra.hpp"

#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::analysis {
namespace {

/// n x n x n cells of a cubic lattice with a basis given in units of the cell.
std::vector<Vec3> block(int n, double a, const std::vector<Vec3>& basis) {
  std::vector<Vec3> places;
  for (int x = 0; x < n; ++x)
    for (int y = 0; y < n; ++y)
      for (int z = 0; z < n; ++z)
        for (const Vec3& b : basis) places.push_back(a * (Vec3(x, y, z) + b));
  return places;
}

const std::vector<Vec3> kSimple{Vec3::Zero()};
const std::vector<Vec3> kFcc{Vec3::Zero(), Vec3(0.5, 0.5, 0), Vec3(0.5, 0, 0.5), Vec3(0, 0.5, 0.5)};

std::vector<Vec3> turned(std::vector<Vec3> places) {
  const Mat3 r = rotation_matrix({23, 37, 11});
  for (Vec3& p : places) p = r * p;
  return places;
}

TEST(Polyhedra, volumes_of_perfect_lattices_add_up_to_the_hull) {
  const double side = 4 * 4.53;
  for (const bool turn : {false, true}) {
    auto places = block(5, 4.53, kSimple);
    if (turn) places = turned(places);
    EXPECT_NEAR(total_volume_A3(Triangulation(places).tetrahedra()) / std::pow(side, 3), 1, 1e-9);
  }
  auto fcc = block(3, 5.09, kFcc);
  std::erase_if(fcc, [](const Vec3& p) { return p.maxCoeff() > 2 * 5.09 + 0.1; });
  for (const auto& places : {fcc, turned(fcc)})
    EXPECT_NEAR(total_volume_A3(Triangulation(places).tetrahedra()) / std::pow(2 * 5.09, 3), 1, 1e-9);
}

TEST(Polyhedra, sites_of_perfect_fcc_have_their_ideal_volume) {
  for (const auto& [a, volume] : {std::pair(4.53, 3.87), std::pair(5.09, 5.50)}) {
    auto places = block(4, a, kFcc);
    std::erase_if(places, [a = a](const Vec3& p) { return p.maxCoeff() > 3 * a + 0.1; });
    for (const auto& p : {places, turned(places)}) {
      const auto sites = near_regular_tetrahedra(p, alpha_shape(Triangulation(p), 4), 0.85 * a);
      EXPECT_EQ(sites.size(), 27u * 8);
      for (const auto& s : sites) EXPECT_NEAR(s.volume_A3, volume, 0.01);
    }
  }
}

TEST(Polyhedra, cells_of_perfect_lattices) {
  struct Case {
    std::vector<Vec3> places;
    VoronoiIndex inside;
  };
  // Rhombic dodecahedra of FCC, cubes of the simple lattice.
  const Case cases[] = {{block(4, 4.53, kFcc), {{0, 12, 0, 0}, 12}},
                        {block(5, 3.0, kSimple), {{0, 6, 0, 0}, 6}}};
  for (const auto& c : cases)
    for (const auto& places : {c.places, turned(c.places)}) {
      const auto cells = voronoi_indices(places, Triangulation(places));
      EXPECT_GE(std::count(cells.begin(), cells.end(), c.inside), 27);
    }
}

TEST(Polyhedra, points_that_span_no_volume_have_no_tetrahedra) {
  const std::vector<std::vector<Vec3>> cases{
      {},
      {Vec3(1, 0, 0), Vec3(0, 1, 0), Vec3(0, 0, 1)},
      {Vec3(1, 0, 0), Vec3(1, 0, 0), Vec3(1, 0, 0), Vec3(1, 0, 0)},
      {Vec3(0, 0, 2), Vec3(1, 0, 2), Vec3(0, 1, 2), Vec3(1, 1, 2), Vec3(3, 1, 2)}};
  for (const auto& places : cases) {
    const Triangulation t(places);
    EXPECT_TRUE(t.tetrahedra().empty());
    for (const auto& cell : voronoi_indices(places, t)) EXPECT_EQ(cell, VoronoiIndex{});
  }
}

TEST(Polyhedra, of_points_at_one_place_the_first_counts) {
  auto places = block(3, 3.0, kSimple);
  const auto before = total_volume_A3(Triangulation(places).tetrahedra());
  places.push_back(places[13]);
  const Triangulation t(places);
  EXPECT_DOUBLE_EQ(total_volume_A3(t.tetrahedra()), before);
  for (const auto& s : t.tetrahedra()) EXPECT_LT(s.atoms[3], places.size() - 1);
  EXPECT_TRUE(t.voronoi_cell(13));
  EXPECT_FALSE(t.voronoi_cell(places.size() - 1));
}

TEST(Polyhedra, solid_angle_of_a_cube) {
  const auto places = block(3, 3.0, kSimple);
  const auto filled = filled_solid_angle(places, Triangulation(places).tetrahedra());
  EXPECT_NEAR(filled[0], 0.125, 1e-12);  // a corner
  EXPECT_NEAR(filled[13], 1, 1e-12);     // the middle
}

}  // namespace
}  // namespace aetos::analysis
