#include "aetos/analysis/compare.hpp"

#include <gtest/gtest.h>

#include <Eigen/Geometry>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"
#include "aetos/io/structure_files.hpp"
#include "support/shared_data.hpp"

namespace aetos::analysis {
namespace {

/// A disordered cloud with atoms at least 1.2 Å apart, lopsided so that no mirror image equals it.
Structure cloud(std::size_t n, std::uint8_t number = 40) {
  Structure s;
  for (std::uint64_t k = 0; s.size() < n; ++k) {
    const auto u = random::uniform4(7, random::Domain::test, {0, 0, k});
    const Vec3 r(24 * u[0] - 9, 18 * u[1] - 9, 20 * u[2] - 11);
    const bool apart = std::all_of(s.position.begin(), s.position.end(),
                                   [&](const Vec3& p) { return (p - r).norm() > 1.2; });
    if (!apart) continue;
    s.position.push_back(r);
    s.atomic_number.push_back(number);
  }
  return s;
}

Structure reversed(Structure s) {
  std::reverse(s.position.begin(), s.position.end());
  std::reverse(s.atomic_number.begin(), s.atomic_number.end());
  return s;
}

TEST(Compare, a_model_against_itself_moved_and_reordered) {
  const Structure reference = cloud(300);
  Structure traced = reversed(reference);
  for (auto& r : traced.position) r += Vec3(3, -2, 1);
  const auto c = compare(traced, reference, {}, {"Zr"});
  EXPECT_EQ(c.matched, 300u);
  EXPECT_NEAR((c.shift_A - Vec3(3, -2, 1)).norm(), 0, 1e-9);
  const auto s = summarize(c, reference, {});
  EXPECT_LT(s["rmsd_pm"].get<double>(), 1e-4);
  EXPECT_EQ(s["identified_fraction"], 1.0);
}

TEST(Compare, a_small_rotation_is_removed_on_request_alone) {
  const Structure reference = cloud(300);
  Structure traced = reversed(reference);
  // 0.04 rad about (2, 1, -2) / 3: atoms at the border move by up to 0.6 Å.
  const Eigen::AngleAxisd turn(0.04, Vec3(2, 1, -2) / 3);
  for (auto& r : traced.position) r = turn * r + Vec3(0.3, -0.2, 0.1);
  const auto plain = summarize(compare(traced, reference, {}, {"Zr"}), reference, {});
  EXPECT_GT(plain["rmsd_pm"].get<double>(), 20);
  EXPECT_FALSE(plain.contains("rotation_deg"));
  config::CompareOptions options;
  options.rotate = true;
  const auto c = compare(traced, reference, options, {"Zr"});
  EXPECT_EQ(c.matched, 300u);
  const auto s = summarize(c, reference, {});
  EXPECT_LT(s["rmsd_pm"].get<double>(), 1e-3);
  EXPECT_NEAR((c.rotation_deg - Vec3(2, 1, -2) / 3 * 0.04 * 180 / kPi).norm(), 0, 1e-5);
}

TEST(Compare, the_shift_is_found_where_a_third_of_the_model_is_missing) {
  const Structure reference = cloud(300);
  Structure traced = reference;  // the lower part only: its centroid is far from the model's
  traced.position.clear();
  for (const auto& r : reference.position)
    if (r.x() < 5) traced.position.push_back(r + Vec3(3, -2, 1));
  traced.atomic_number.resize(traced.size());
  ASSERT_LT(traced.size(), 220u);
  const auto c = compare(traced, reference, {}, {});
  EXPECT_EQ(c.matched, traced.size());
  EXPECT_EQ(c.missing.size(), 300 - traced.size());
  EXPECT_NEAR((c.shift_A - Vec3(3, -2, 1)).norm(), 0, 1e-9);
}

TEST(Compare, a_crystal_moved_by_less_than_a_lattice_vector) {
  AETOS_NEEDS_SHARED("models/small.extxyz");
  const Structure reference = io::read_structure(test::shared_data("models/small.extxyz"));
  Structure traced = reversed(reference);
  for (auto& r : traced.position) r += Vec3(3, -2, 1);
  const auto c = compare(traced, reference, {}, {"Zr"});
  EXPECT_EQ(c.matched, reference.size());
  EXPECT_NEAR((c.shift_A - Vec3(3, -2, 1)).norm(), 0, 1e-9);
}

TEST(Compare, the_mirror_image_is_noted_and_never_taken) {
  const Structure reference = cloud(300);
  Structure traced = reference;
  for (auto& r : traced.position) r.x() = -r.x();
  const auto c = compare(traced, reference, {}, {});
  EXPECT_LT(c.matched, 200u);
  EXPECT_TRUE(std::any_of(c.notes.begin(), c.notes.end(), [](const std::string& n) {
    return n.find("mirror image") != std::string::npos && n.find("-x, y, z") != std::string::npos;
  }));
}

TEST(Compare, a_turned_model_is_noted) {
  const Structure reference = cloud(300);
  Structure traced = reference;
  for (auto& r : traced.position) r = Vec3(-r.x(), r.y(), -r.z());
  const auto c = compare(traced, reference, {}, {});
  ASSERT_FALSE(c.notes.empty());
  EXPECT_NE(c.notes.back().find("turned"), std::string::npos);
}

TEST(Compare, no_match_gives_null_and_zero) {
  Structure reference = cloud(4), traced;
  traced.position = {Vec3(1000, 0, 0)};
  traced.atomic_number = {40};
  reference.position = {Vec3(0, 0, 0), Vec3(10, 0, 0), Vec3(0, 10, 0), Vec3(0, 0, 10)};
  const auto empty = summarize(compare({}, reference, {}, {"Zr"}), reference, {-75, 0, 75});
  EXPECT_TRUE(empty["rmsd_pm"].is_null());
  EXPECT_TRUE(empty["rmsd_axis_pm"][2].is_null());
  EXPECT_TRUE(empty["rmsd_elsewhere_pm"].is_null());
  EXPECT_EQ(empty["identified_fraction"], 0.0);
  EXPECT_EQ(empty["reference_atoms"], 4);
  const auto nothing = summarize(compare(traced, {}, {}, {}), {}, {});
  EXPECT_TRUE(nothing["identified_fraction"].is_null());
  EXPECT_EQ(nothing["false_atoms"], 1);
  // Strict JSON: what is dumped parses, and holds no NaN.
  const auto text = details(compare({}, reference, {}, {}), {}, reference, {}).dump();
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_TRUE(nlohmann::json::accept(text));
}

TEST(Compare, oxygen_in_the_reference_does_not_count) {
  Structure reference = cloud(100);
  const Structure oxygen = cloud(160, 8);
  reference.position.insert(reference.position.end(), oxygen.position.begin() + 100, oxygen.position.end());
  reference.atomic_number.resize(160, 8);
  const Structure traced = cloud(100);
  const auto c = compare(traced, reference, {}, {"Zr"});
  EXPECT_EQ(c.reference_atoms, 100u);
  EXPECT_EQ(c.matched, 100u);
  EXPECT_TRUE(c.missing.empty());
  EXPECT_EQ(compare(traced, reference, {}, {}).reference_atoms, 160u);
}

TEST(Compare, two_traced_atoms_share_a_reference_atom_only_by_the_nearest_rule) {
  Structure reference, traced;
  reference.position = {Vec3(0, 0, 0), Vec3(5, 0, 0), Vec3(0, 5, 0), Vec3(0, 0, 5)};
  reference.atomic_number.assign(4, 40);
  traced = reference;
  traced.position.push_back(Vec3(0.4, 0, 0));
  traced.atomic_number.push_back(40);
  config::CompareOptions options;
  EXPECT_EQ(compare(traced, reference, options, {}).matched, 4u);
  EXPECT_EQ(compare(traced, reference, options, {}).false_atoms, std::vector<std::size_t>{4});
  options.rule = config::MatchRule::nearest;
  EXPECT_EQ(compare(traced, reference, options, {}).matched, 5u);
}

TEST(Compare, rmsds_add_in_squares_and_the_wedge_takes_its_own_atoms) {
  const Structure reference = cloud(300);
  Structure traced = reference;
  for (std::size_t i = 0; i < traced.size(); ++i) {
    const auto n = random::normal4(3, random::Domain::test, {1, 0, i});
    traced.position[i] += Vec3(0.05 * n[0], 0.02 * n[1], 0.1 * n[2]);
  }
  const auto c = compare(traced, reference, {}, {});
  const auto s = summarize(c, reference, {-75, -45, 0, 45, 76});
  EXPECT_EQ(s["missing_wedge_deg"], 29.0);
  const auto square = [&](const nlohmann::json& v) { return v.get<double>() * v.get<double>(); };
  const double total = square(s["rmsd_pm"]);
  EXPECT_NEAR(square(s["rmsd_axis_pm"][0]) + square(s["rmsd_axis_pm"][1]) + square(s["rmsd_axis_pm"][2]),
              total, 1e-9);
  EXPECT_NEAR(square(s["rmsd_along_pm"]) + square(s["rmsd_across_pm"]), total, 1e-9);
  std::size_t in = 0;
  for (const auto& p : c.pairs) {
    const Vec3 d = reference.position[p.reference] - c.centroid_A;
    in += std::abs(std::atan2(d.x(), d.z())) <= radians(14.5) ||
          std::abs(std::atan2(d.x(), -d.z())) <= radians(14.5);
  }
  const auto n = static_cast<double>(in), all = 300.0;
  EXPECT_NEAR(n * square(s["rmsd_missing_wedge_pm"]) + (all - n) * square(s["rmsd_elsewhere_pm"]),
              all * total, 1e-6);
}

TEST(Compare, a_series_all_round_has_no_missing_wedge) {
  const Structure reference = cloud(50);
  std::vector<double> theta;
  for (int i = 0; i < 60; ++i) theta.push_back(3 * i);
  const auto s = summarize(compare(reference, reference, {}, {}), reference, theta);
  EXPECT_TRUE(s["rmsd_missing_wedge_pm"].is_null());
  EXPECT_FALSE(s["rmsd_elsewhere_pm"].is_null());
}

TEST(Compare, histograms_count_every_pair) {
  const Structure reference = cloud(100);
  Structure traced = reference;
  traced.position[0].x() += 0.2;
  const auto d = details(compare(traced, reference, {}, {}), traced, reference, {});
  const auto& h = d["histograms"]["displacement"];
  EXPECT_EQ(h["edges_pm"].size(), h["all"].size() + 1);
  EXPECT_EQ(h["all"][0], 99);
  EXPECT_EQ(h["all"][3], 1);
}

TEST(Compare, bad_options_are_refused) {
  config::CompareOptions options;
  options.match_radius_A = 0;
  EXPECT_THROW((void)compare({}, {}, options, {}), InputError);
  EXPECT_THROW((void)compare({}, {}, {}, {"Xx"}), InputError);
}

}  // namespace
}  // namespace aetos::analysis
