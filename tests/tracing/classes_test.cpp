// Which maxima are atoms, and of which species.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "aetos/core/random.hpp"
#include "aetos/tracing/classify.hpp"
#include "aetos/tracing/threshold.hpp"

namespace aetos::tracing {
namespace {

double normal(std::uint32_t stream, std::uint64_t i) {
  return random::normal4(11, random::Domain::test, {stream, 0, i})[0];
}

std::vector<float> noise_and_atoms(std::size_t noise, const std::vector<double>& species) {
  std::vector<float> heights;
  for (std::size_t i = 0; i < noise; ++i)
    heights.push_back(static_cast<float>(0.05 * std::abs(normal(0, i))));
  for (std::size_t k = 0; k < species.size(); ++k)
    for (std::size_t i = 0; i < 200; ++i)
      heights.push_back(
          static_cast<float>(species[k] * (1 + 0.08 * normal(static_cast<std::uint32_t>(k + 1), i))));
  return heights;
}

std::size_t above(const std::vector<float>& heights, double threshold) {
  std::size_t n = 0;
  for (const float h : heights) n += static_cast<double>(h) > threshold;
  return n;
}

TEST(Threshold, splits_noise_from_atoms) {
  const auto heights = noise_and_atoms(20000, {1});
  const auto t = find_threshold(heights, 0, 1);
  EXPECT_TRUE(t.separates);
  EXPECT_EQ(above(heights, t.value), 200u);
}

TEST(Threshold, two_species_are_both_kept) {
  const auto heights = noise_and_atoms(20000, {1, 2.4});
  EXPECT_EQ(above(heights, find_threshold(heights, 0, 2).value), 400u);
}

TEST(Threshold, noise_that_outnumbers_atoms_may_be_half_as_high) {
  auto heights = noise_and_atoms(0, {1});
  for (std::size_t i = 0; i < 600; ++i)
    heights.push_back(static_cast<float>(0.45 * (1 + 0.15 * normal(7, i))));
  const auto t = find_threshold(heights, 0, 1);
  EXPECT_TRUE(t.separates);
  EXPECT_TRUE(t.noisy);
  EXPECT_NEAR(static_cast<double>(above(heights, t.value)), 200, 10);
  EXPECT_FALSE(find_threshold(noise_and_atoms(20000, {1}), 0, 1).noisy);
  EXPECT_FALSE(find_threshold(noise_and_atoms(0, {1, 2.4}), 0, 2).noisy);
}

TEST(Threshold, without_noise_every_maximum_is_an_atom) {
  const auto heights = noise_and_atoms(0, {1});
  const auto t = find_threshold(heights, 0, 1);
  EXPECT_FALSE(t.separates);
  EXPECT_EQ(above(heights, t.value), heights.size());
  const std::vector<float> one{3}, same(10, 2.0f);
  EXPECT_EQ(above(one, find_threshold(one, 0, 1).value), 1u);
  EXPECT_EQ(above(same, find_threshold(same, 0, 2).value), 10u);
  EXPECT_EQ(find_threshold({}, 0.5, 1).value, 0.5);
}

TEST(Threshold, counts_from_the_background) {
  auto heights = noise_and_atoms(20000, {1});
  for (float& h : heights) h += 100;
  EXPECT_EQ(above(heights, find_threshold(heights, 100, 1).value), 200u);
}

TEST(Classify, three_species_lightest_first) {
  std::vector<double> intensity;
  for (std::size_t i = 0; i < 300; ++i)
    intensity.push_back(std::vector{1.0, 2.0, 4.0}[i % 3] * (1 + 0.03 * normal(4, i)));
  const auto c = classify(intensity, 3, 1);
  EXPECT_TRUE(c.told_apart);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(c.of[i], i % 3);
  EXPECT_NEAR(c.centres[2], 4, 0.05);
  EXPECT_EQ(classify(intensity, 3, 1).of, classify(intensity, 3, 77).of);
}

TEST(Classify, what_cannot_be_told_apart_is_said) {
  std::vector<double> same(50, 1.0), one_class;
  for (std::size_t i = 0; i < 2000; ++i) one_class.push_back(1 + 0.1 * normal(5, i));
  EXPECT_FALSE(classify(same, 2, 1).told_apart);
  EXPECT_FALSE(classify(one_class, 2, 1).told_apart);
  EXPECT_FALSE(classify(std::vector<double>{1.0}, 2, 1).told_apart);
  EXPECT_EQ(classify(std::vector<double>{1.0}, 2, 1).of[0], 1u);
  EXPECT_TRUE(classify({}, 2, 1).of.empty());
  EXPECT_TRUE(classify(same, 1, 1).told_apart);
}

TEST(Classify, species_are_told_apart_where_intensities_drift) {
  // The bright species at one end is as dim as the dim one at the other.
  std::vector<Vec3> position;
  std::vector<double> intensity;
  for (std::size_t i = 0; i < 4000; ++i) {
    const auto u = random::uniform4(3, random::Domain::test, {0, 1, i});
    position.emplace_back(80 * u[0], 12 * u[1], 12 * u[2]);
    const double drift = 1.3 - 0.6 * u[0];
    intensity.push_back((i % 2 == 0 ? 1.0 : 1.6) * drift * (1 + 0.04 * normal(6, i)));
  }
  const auto wrong = [](const Classes& c) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < c.of.size(); ++i) n += c.of[i] != i % 2;
    return n;
  };
  const auto local = classify_locally(position, intensity, 2, 1);
  EXPECT_GT(wrong(classify(intensity, 2, 1)), 400u);
  EXPECT_LT(wrong(local), 8u);
  for (std::size_t i = 0; i < local.of.size(); ++i) EXPECT_GE(local.probability[i], 0.4);
}

TEST(Classify, probabilities_are_those_of_overlapping_classes) {
  std::vector<Vec3> position;
  std::vector<double> intensity;
  for (std::size_t i = 0; i < 3000; ++i) {
    const auto u = random::uniform4(3, random::Domain::test, {0, 2, i});
    position.emplace_back(30 * u[0], 30 * u[1], 30 * u[2]);
    intensity.push_back((i % 2 == 0 ? 1.0 : 1.8) + 0.2 * normal(7, i));
  }
  const auto c = classify_locally(position, intensity, 2, 1);
  double expected = 0, wrong = 0;
  for (std::size_t i = 0; i < c.of.size(); ++i) {
    expected += 1 - c.probability[i];
    wrong += c.of[i] != i % 2 ? 1 : 0;
  }
  EXPECT_NEAR(wrong / 3000, 0.0228, 0.01);  // beyond two standard deviations on one side
  EXPECT_NEAR(expected / 3000, wrong / 3000, 0.008);
}

}  // namespace
}  // namespace aetos::tracing
