#include "../../src/tracing/selection.hpp"

#include <gtest/gtest.h>

namespace aetos::tracing {
namespace {

constexpr double kApart_A = 2, kShare = 0.5;

/// A row of atoms 3 Å apart with one more beside its end, and the intensity of that one.
State row_and_one_more(double distance_A, double intensity) {
  std::vector<Vec3> places;
  for (int i = 0; i < 21; ++i) places.emplace_back(3.0 * i, 0, 0);
  places.emplace_back(0, distance_A, 0);
  const std::size_t atoms = places.size();
  State state =
      starting_state(places, std::vector<double>(atoms, 1), std::vector<std::size_t>(atoms), 1, 0.4);
  state.parameters[state.model.layout.intensity(atoms - 1)] = intensity;
  return state;
}

/// Of the one beside the row, where intensities have this standard deviation.
Verdict verdict(double distance_A, double intensity, double sigma) {
  const State state = row_and_one_more(distance_A, intensity);
  std::vector<std::size_t> kept(state.model.layout.atoms);
  for (std::size_t a = 0; a < kept.size(); ++a) kept[a] = a;
  const auto all = judge(state, evidence_of(state, kept, sigma * sigma, kShare, kApart_A));
  for (std::size_t a = 0; a + 1 < all.size(); ++a) EXPECT_EQ(all[a], Verdict::stays) << a;
  return all.back();
}

TEST(Selection, an_atom_has_half_the_typical_intensity_and_room) {
  EXPECT_EQ(verdict(3, 0.51, 0.02), Verdict::stays);
  EXPECT_EQ(verdict(3, 0.49, 0.02), Verdict::weak);
  EXPECT_EQ(verdict(1.9, 0.9, 0.02), Verdict::too_close);
}

TEST(Selection, where_atoms_are_rare_noise_must_be_ruled_out) {
  // 2.3 Å is nearer than 0.8 of the usual 3 Å.
  EXPECT_EQ(verdict(2.3, 0.6, 0.02), Verdict::stays);
  EXPECT_EQ(verdict(2.3, 0.6, 0.2), Verdict::weak);
  EXPECT_EQ(verdict(2.3, 0.75, 0.2), Verdict::stays);
  EXPECT_EQ(verdict(2.5, 0.6, 0.2), Verdict::stays);
}

TEST(Selection, variance_is_twice_the_median_bound_and_ignores_what_is_open) {
  Eigen::Matrix4d known = Eigen::Matrix4d::Identity();
  known(3, 3) = 25;
  EXPECT_DOUBLE_EQ(intensity_variance({known, known, Eigen::Matrix4d::Zero()}), 2.0 / 25);
  EXPECT_EQ(intensity_variance({}), 0);
}

}  // namespace
}  // namespace aetos::tracing
