// The published traced models and their figures (README of data/traced).
#include <cmath>

#include "aetos/analysis/compare.hpp"
#include "aetos/io/structure_files.hpp"
#include "support/shared_data.hpp"

namespace aetos {
namespace {

nlohmann::json run(const std::string& traced, const std::string& reference, double radius,
                   config::MatchRule rule) {
  const auto a = io::read_structure(test::shared_data("traced/" + traced + ".extxyz"));
  const auto b = io::read_structure(test::shared_data("traced/" + reference + ".extxyz"));
  config::CompareOptions options;
  options.match_radius_A = radius;
  options.rule = rule;
  return analysis::summarize(analysis::compare(a, b, options, {}), b, {});
}

double printed(const nlohmann::json& value) {
  return std::round(value.get<double>() * 100) / 100;
}

TEST(ComparePublished, metallic_glass_by_the_published_rule) {
  AETOS_NEEDS_SHARED("traced");
  const auto s = run("CoPdPt-dose5p6e4-traced", "CoPdPt-reference", 1.5, config::MatchRule::nearest);
  EXPECT_EQ(s["reference_atoms"], 18356);
  EXPECT_EQ(s["matched"], 18015);
  EXPECT_EQ(printed(s["rmsd_pm"]), 17.28);
}

TEST(ComparePublished, metallic_glass_by_mutual_neighbours) {
  AETOS_NEEDS_SHARED("traced");
  const auto s = run("CoPdPt-dose5p6e4-traced", "CoPdPt-reference", 1.5, config::MatchRule::mutual);
  EXPECT_EQ(s["matched"], 18011);
  EXPECT_EQ(s["matched_right_species"], 17888);
  EXPECT_EQ(printed(s["rmsd_pm"]), 17.16);
  EXPECT_EQ(s["traced_atoms"].get<int>() - s["matched"].get<int>(), s["false_atoms"].get<int>());
  EXPECT_NEAR(s["identified_fraction"].get<double>(), 17888.0 / 18356, 1e-12);
}

TEST(ComparePublished, amorphous_silicon) {
  AETOS_NEEDS_SHARED("traced");
  for (const auto rule : {config::MatchRule::nearest, config::MatchRule::mutual}) {
    const auto s = run("aSi-dose1p6e5-traced", "aSi-reference", 0.9, rule);
    EXPECT_EQ(s["matched"], 208);
    EXPECT_EQ(printed(s["rmsd_pm"]), 4.24);
  }
}

}  // namespace
}  // namespace aetos
