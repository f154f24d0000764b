#include "aetos/atoms/build.hpp"

#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::atoms {
namespace {

Structure no_file(const std::string& name) {
  throw InputError(name, "a file was read", "none");
}

SolidOptions zirconia(std::array<double, 3> zone_axis = {1, 0, 0}) {
  SolidOptions solid;
  solid.structure = Lattice::fluorite;
  solid.elements = {"Zr", "O"};
  solid.a_A = 5.09;
  solid.zone_axis = zone_axis;
  return solid;
}

SolidOptions zirconium() {
  SolidOptions solid;
  solid.structure = Lattice::fcc;
  solid.elements = {"Zr"};
  solid.a_A = 4.53;
  return solid;
}

std::size_t count(const Structure& s, const char* symbol) {
  return static_cast<std::size_t>(
      std::count(s.atomic_number.begin(), s.atomic_number.end(), atomic_number(symbol)));
}

TEST(Build, APeriodicSlabHoldsWholeCells) {
  BuildOptions o;
  o.crystal = zirconia();
  o.thickness_A = 4 * 5.09;
  o.width_A = std::array{15.0, 10.0};
  o.periodic = true;
  const auto slab = build_specimen(o, 1, no_file);
  ASSERT_TRUE(slab.cell);
  // Along [010] and [001] the shortest translation of a face-centred lattice is a.
  EXPECT_NEAR(slab.cell->vectors(0, 0), 2 * 5.09, 1e-9);
  EXPECT_NEAR(slab.cell->vectors(1, 1), 3 * 5.09, 1e-9);
  EXPECT_TRUE(slab.cell->periodic[0] && slab.cell->periodic[1] && !slab.cell->periodic[2]);
  EXPECT_EQ(count(slab, "Zr"), 2u * 3 * 4 * 4);
  EXPECT_EQ(count(slab, "O"), 2u * 3 * 4 * 8);
}

TEST(Build, ATurnedSlabRepeatsByItsShortestTranslation) {
  BuildOptions o;
  o.crystal = zirconium();
  o.crystal->zone_axis = {1, 1, 0};
  o.crystal->x_axis = std::array{0.0, 0.0, 1.0};
  o.thickness_A = 4.53 / std::sqrt(2.0);
  o.width_A = std::array{3.0, 4.0};
  o.periodic = true;
  const auto slab = build_specimen(o, 1, no_file);
  EXPECT_NEAR(slab.cell->vectors(0, 0), 4.53, 1e-9);
  EXPECT_NEAR(slab.cell->vectors(1, 1), 4.53 / std::sqrt(2.0), 1e-9);
  EXPECT_EQ(slab.size(), 2u);  // a quarter of the cube's four atoms on each of two layers
  o.crystal->zone_axis = {0.3, 0.11, 0.7};
  EXPECT_THROW(build_specimen(o, 1, no_file), InputError);
}

TEST(Build, TheZoneAxisPointsAlongTheBeam) {
  auto solid = zirconium();
  solid.zone_axis = {1, 1, 1};
  const auto crystal = make_crystal(solid, "here", 1, 1, no_file);
  const Vec3 z = crystal.cell.transpose() * Vec3(1, 1, 1);
  EXPECT_LT(z.head<2>().norm(), 1e-12);
  EXPECT_NEAR(z.z(), 4.53 * std::sqrt(3.0), 1e-12);
  EXPECT_NEAR(crystal.cell.determinant(), std::pow(4.53, 3), 1e-9);  // a rotation, no mirror
}

TEST(Build, ASphereHasItsShareOfAtomsAndOrientationsDifferBySeed) {
  BuildOptions o;
  o.kind = BuildKind::particle;
  o.crystal = zirconium();
  o.crystal->random_orientation = true;
  o.radius_A = 25;
  const auto one = build_specimen(o, 1, no_file), again = build_specimen(o, 1, no_file),
             other = build_specimen(o, 2, no_file);
  const double expected = 4 * kPi / 3 * std::pow(25.0, 3) * 4 / std::pow(4.53, 3);
  EXPECT_NEAR(static_cast<double>(one.size()), expected, 0.02 * expected);
  EXPECT_EQ(one.position, again.position);
  EXPECT_NE(one.position, other.position);
  for (const auto& r : one.position) EXPECT_LE(r.norm(), 25 + 1e-5);
  EXPECT_NEAR(NeighbourSearch(one.position).nearest(one.position[100], 2)[1].distance_A,
              4.53 / std::sqrt(2.0), 1e-9);
}

TEST(Build, AnAmorphousShellSurroundsItsCore) {
  BuildOptions o;
  o.kind = BuildKind::core_shell;
  o.core = zirconium();
  o.shell.emplace();
  o.shell->structure = Lattice::amorphous;
  o.shell->elements = {"Zr"};
  o.shell->density_g_cm3 = 4.45;  // the zirconium of ZrO2 at 97 % of fluorite's density
  o.shell->min_distance_A = 3.1;
  o.radius_A = 20;
  o.core_radius_A = 10;
  o.core_centre_A = {3, 0, -2};
  o.clearance_A = 2.85;
  const auto s = build_specimen(o, 7, no_file);
  const auto& part = std::get<std::vector<std::string>>(s.columns.at("part").values);
  const Vec3 centre(3, 0, -2);
  double nearest = 1e9;
  std::size_t shell = 0;
  const NeighbourSearch search(s.position);
  for (std::size_t i = 0; i < s.size(); ++i) {
    EXPECT_EQ(part[i] == "core", (s.position[i] - centre).norm() <= 10 + 1e-6);
    if (part[i] != "shell") continue;
    ++shell;
    nearest = std::min(nearest, search.nearest(s.position[i], 2)[1].distance_A);
  }
  const double expected = 4.45 / 91.224 * 0.602214 * 4 * kPi / 3 * (8000 - 1000);
  EXPECT_NEAR(static_cast<double>(shell), expected, 0.1 * expected);
  EXPECT_GT(nearest, 2.6);
  EXPECT_THROW(
      {
        o.core_radius_A = 18;
        build_specimen(o, 7, no_file);
      },
      InputError);
}

TEST(Build, ABicrystalIsTurnedAsAsked) {
  BuildOptions o;
  o.kind = BuildKind::bicrystal;
  o.crystal = zirconium();
  o.radius_A = 12;
  o.clearance_A = 2.5;
  o.twist_deg = 11;
  const auto s = build_specimen(o, 1, no_file);
  const auto& part = std::get<std::vector<std::string>>(s.columns.at("part").values);
  // A twist leaves the rows along the normal as they are and turns [010] about it.
  const double c = std::cos(radians(11)), k = std::sin(radians(11));
  const Vec3 along = 4.53 * Vec3(0, c, k);
  const NeighbourSearch search(s.position);
  std::size_t tried = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (part[i] != "2" || s.position[i].x() < 2.5 || (s.position[i] + along).norm() > 11) continue;
    EXPECT_LT(search.nearest(s.position[i] + along)->distance_A, 1e-9);
    ++tried;
  }
  EXPECT_GT(tried, 50u);
}

TEST(Build, WhatIsMissingIsNamed) {
  BuildOptions o;
  o.crystal = zirconia();
  o.width_A = std::array{10.0, 10.0};
  const auto message = [&] {
    try {
      build_specimen(o, 1, no_file);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(message().find("thickness_A"), std::string::npos);
  o.thickness_A = 10;
  o.crystal->elements = {"Zr"};
  EXPECT_NE(message().find("specimen.build.crystal.elements"), std::string::npos);
  o.crystal->structure = Lattice::amorphous;
  EXPECT_NE(message().find("density_g_cm3"), std::string::npos);
  o.crystal->density_g_cm3 = 6;
  o.crystal->min_distance_A = 4;
  EXPECT_NE(message().find("do not fit"), std::string::npos);
}

}  // namespace
}  // namespace aetos::atoms
