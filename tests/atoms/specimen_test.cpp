#include "aetos/atoms/specimen.hpp"

#include <gtest/gtest.h>

#include "aetos/atoms/measures.hpp"
#include "aetos/core/error.hpp"
#include "support/zirconium.hpp"

namespace aetos::atoms {
namespace {

TEST(Specimen, OriginIsMovedOnlyWhenAsked) {
  Structure s = test::zirconium_at({{1, 2, 3}, {3, 4, 7}});
  s.cell = Cell{Vec3(10, 20, 30).asDiagonal(), {false, false, false}};
  place_origin(s, Origin::file, "a.xyz");
  EXPECT_EQ(s.position[0], Vec3(1, 2, 3));
  place_origin(s, Origin::centroid, "a.xyz");
  EXPECT_EQ(s.position[0], Vec3(-1, -1, -2));
  EXPECT_NEAR(centroid(s).norm(), 0, 1e-12);
  place_origin(s, Origin::cell_centre, "a.xyz");
  EXPECT_EQ(s.position[0], Vec3(-6, -11, -17));
  s.cell.reset();
  EXPECT_THROW(place_origin(s, Origin::cell_centre, "a.xyz"), InputError);
}

TEST(Specimen, CornerFilesAndCloseAtomsAreNamed) {
  const Structure corner = test::zirconium_at({{0, 0, 0}, {10, 10, 10}, {10.3, 10, 10}, {0, 0, 0}});
  const auto warnings = specimen_warnings(corner, Origin::file);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("specimen.origin"), std::string::npos);
  EXPECT_NE(warnings[0].find("8.7"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[1].find("1 and 4 (one place)"), std::string::npos) << warnings[1];
  EXPECT_NE(warnings[1].find("2 and 3 (0.30"), std::string::npos) << warnings[1];
  EXPECT_TRUE(specimen_warnings(test::zirconium_at({{-5, 0, 0}, {5, 0, 0}}), Origin::file).empty());
}

TEST(Specimen, RandomOccupancyFillsTheRightShareAndIsFixedBySeed) {
  Structure s = test::zirconium_at(std::vector<Vec3>(20000, Vec3::Zero()));
  s.columns["occupancy"] = {std::vector<double>(s.size(), 0.3), 1};
  const auto sites = filled_sites(s, Occupancy::random, 7);
  EXPECT_NEAR(static_cast<double>(sites.atom.size()), 6000, 4 * 65);  // four standard deviations
  EXPECT_EQ(filled_sites(s, Occupancy::random, 7).atom, sites.atom);
  EXPECT_NE(filled_sites(s, Occupancy::random, 8).atom, sites.atom);
  const auto mean = filled_sites(s, Occupancy::mean, 7);
  EXPECT_EQ(mean.atom.size(), s.size());
  EXPECT_FLOAT_EQ(mean.weight[5], 0.3f);
}

TEST(Specimen, BadSitesAreRefusedByNumber) {
  Structure s = test::zirconium_at({{0, 0, 0}, {5, 0, 0}});
  s.columns["occupancy"] = {std::vector<double>{1, 1.2}, 1};
  try {
    filled_sites(s, Occupancy::random, 1);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("atom 2 has occupancy 1.2"), std::string::npos) << e.what();
  }
  s.columns.clear();
  s.atomic_number[0] = 0;
  EXPECT_THROW(filled_sites(s, Occupancy::random, 1), InputError);
}

TEST(Specimen, Measures) {
  Structure s = test::zirconium_at({{3, 4, 0}, {0, 0, 1}});
  s.atomic_number[1] = 8;
  EXPECT_DOUBLE_EQ(outer_radius(s), 5);
  EXPECT_EQ(count_by_species(s).at("O"), 1u);
  EXPECT_DOUBLE_EQ(outer_radius(Structure{}), 0);
}

}  // namespace
}  // namespace aetos::atoms
