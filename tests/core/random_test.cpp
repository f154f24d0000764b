#include <gtest/gtest.h>

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "aetos/core/random.hpp"

namespace aetos::random {
namespace {

constexpr std::uint64_t kSeed = 20240229;

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  const auto n = static_cast<double>(values.size());
  for (double v : values) m.mean += v / n;
  double third = 0, fourth = 0;
  for (double v : values) {
    const double d = v - m.mean;
    m.variance += d * d / n;
    third += d * d * d / n;
    fourth += d * d * d * d / n;
  }
  m.skewness = third / std::pow(m.variance, 1.5);
  m.kurtosis = fourth / (m.variance * m.variance);
  return m;
}

/// Known answers of Random123's own distribution (kat_vectors, philox4x32 with 10 rounds).
TEST(Random, GeneratorGivesItsKnownAnswers) {
  using Generator = r123::Philox4x32;
  const auto zero = Generator{}(Generator::ctr_type{{0, 0, 0, 0}}, Generator::key_type{{0, 0}});
  EXPECT_EQ(zero[0], 0x6627e8d5u);
  EXPECT_EQ(zero[1], 0xe169c58du);
  EXPECT_EQ(zero[2], 0xbc57ac4cu);
  EXPECT_EQ(zero[3], 0x9b00dbd8u);
  const auto pi = Generator{}(Generator::ctr_type{{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}},
                              Generator::key_type{{0xa4093822u, 0x299f31d0u}});
  EXPECT_EQ(pi[0], 0xd16cfe09u);
  EXPECT_EQ(pi[1], 0x94fdccebu);
  EXPECT_EQ(pi[2], 0x5001e420u);
  EXPECT_EQ(pi[3], 0x24126ea1u);
}

TEST(Random, EverythingInTheIndexMatters) {
  std::set<std::array<std::uint32_t, 4>> seen;
  std::size_t count = 0;
  const auto add = [&](std::uint64_t seed, Domain domain, const Index& index) {
    seen.insert(words(seed, domain, index));
    ++count;
  };
  for (std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32, kSeed})
    for (Domain domain : {Domain::thermal_displacement, Domain::poisson_noise, Domain::test})
      for (std::uint32_t a : {0u, 1u})
        for (std::uint32_t b : {0u, 1u, 0xffffffffu})
          for (std::uint64_t c : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32})
            add(seed, domain, {a, b, c});
  EXPECT_EQ(seen.size(), count);
}

TEST(Random, DoesNotDependOnTheOrderOfCalls) {
  std::vector<std::array<double, 4>> up, down;
  for (std::uint64_t i = 0; i < 100; ++i) up.push_back(normal4(kSeed, Domain::test, {1, 2, i}));
  for (std::uint64_t i = 100; i-- > 0;) down.push_back(normal4(kSeed, Domain::test, {1, 2, i}));
  std::reverse(down.begin(), down.end());
  EXPECT_EQ(up, down);
}

TEST(Random, UniformNumbersFillTheOpenInterval) {
  std::vector<double> values;
  for (std::uint64_t i = 0; i < 50000; ++i)
    for (double u : uniform4(kSeed, Domain::test, {0, 0, i})) values.push_back(u);
  EXPECT_GT(*std::min_element(values.begin(), values.end()), 0);
  EXPECT_LT(*std::max_element(values.begin(), values.end()), 1);
  const auto m = moments(values);
  EXPECT_NEAR(m.mean, 0.5, 5 * std::sqrt(1 / 12.0 / 2e5));
  EXPECT_NEAR(m.variance, 1 / 12.0, 5e-4);
}

TEST(Random, NormalNumbersHaveTheMomentsOfANormal) {
  std::vector<double> values;
  double across = 0;
  for (std::uint64_t i = 0; i < 50000; ++i) {
    const auto g = normal4(kSeed, Domain::test, {3, 0, i});
    values.insert(values.end(), g.begin(), g.end());
    across += g[0] * g[1] / 50000;
  }
  // Bounds of five standard errors at 200,000 values: 1, sqrt 2, sqrt 6, sqrt 24 over sqrt n.
  const auto m = moments(values);
  const double error = 5 / std::sqrt(2e5);
  EXPECT_NEAR(m.mean, 0, error);
  EXPECT_NEAR(m.variance, 1, std::sqrt(2.0) * error);
  EXPECT_NEAR(m.skewness, 0, std::sqrt(6.0) * error);
  EXPECT_NEAR(m.kurtosis, 3, std::sqrt(24.0) * error);
  EXPECT_NEAR(across, 0, 5 / std::sqrt(5e4));
}

class PoissonOfMean : public ::testing::TestWithParam<double> {};

TEST_P(PoissonOfMean, HasTheMomentsOfAPoisson) {
  const double mean = GetParam();
  const std::size_t n = 100000;
  std::vector<double> values;
  for (std::uint64_t i = 0; i < n; ++i)
    values.push_back(static_cast<double>(poisson(mean, kSeed, Domain::test, {5, 0, i})));
  const auto m = moments(values);
  const auto count = static_cast<double>(n);
  EXPECT_NEAR(m.mean, mean, 5 * std::sqrt(mean / count));
  EXPECT_NEAR(m.variance, mean, 5 * std::sqrt((mean + 2 * mean * mean) / count));
  EXPECT_NEAR(m.skewness, 1 / std::sqrt(mean), 5 * std::sqrt(6 / count) * (1 + 3 / mean));
}

// 9.99 and 10.01 lie on both sides of the change of method.
INSTANTIATE_TEST_SUITE_P(Means, PoissonOfMean, ::testing::Values(0.5, 5.0, 9.99, 10.01, 50.0, 1e4));

TEST(Random, PoissonFollowsItsProbabilities) {
  // Chi-square against exp(-m) m^k / k! over k = 0..24 and the rest, at m = 12 (the rejection method).
  const double mean = 12;
  const std::size_t n = 50000;
  std::vector<double> observed(26, 0.0);
  for (std::uint64_t i = 0; i < n; ++i)
    ++observed[std::min<std::uint64_t>(25, poisson(mean, kSeed, Domain::test, {6, 0, i}))];
  double chi_square = 0, cumulative = 0;
  for (std::size_t k = 0; k <= 25; ++k) {
    const auto dk = static_cast<double>(k);
    const double probability =
        k < 25 ? std::exp(-mean + dk * std::log(mean) - std::lgamma(dk + 1)) : 1 - cumulative;
    cumulative += probability;
    const double expected = probability * static_cast<double>(n);
    chi_square += (observed[k] - expected) * (observed[k] - expected) / expected;
  }
  EXPECT_LT(chi_square, 60);  // 25 degrees of freedom: exceeded once in ten thousand
}

TEST(Random, PoissonOfNothingIsNothing) {
  EXPECT_EQ(poisson(0, kSeed, Domain::test, {}), 0u);
  EXPECT_EQ(poisson(-1, kSeed, Domain::test, {}), 0u);
  EXPECT_EQ(poisson(std::nan(""), kSeed, Domain::test, {}), 0u);
  EXPECT_EQ(poisson(1e-12, kSeed, Domain::test, {}), 0u);
}

TEST(Random, PoissonOfLargeMeansStaysFinite) {
  EXPECT_NEAR(static_cast<double>(poisson(1e12, kSeed, Domain::test, {})), 1e12, 6e6);
}

}  // namespace
}  // namespace aetos::random
