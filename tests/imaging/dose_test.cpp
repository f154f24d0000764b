#include "aetos/imaging/dose.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "aetos/core/error.hpp"

namespace aetos::imaging {
namespace {

TEST(Dose, ElectronsPerPixel) {
  EXPECT_NEAR(*electrons_per_pixel({.screen_current_pA = 15, .dwell_us = 1}, 0.343, 50), 93.6, 0.05);
  EXPECT_NEAR(*electrons_per_pixel({.dose_e_per_A2 = 1000}, 0.3434, 3), 117.92, 0.01);
  EXPECT_NEAR(*electrons_per_pixel({.dose_total_e_per_A2 = 4.8e5}, 1, 50), 9600, 1e-9);
  EXPECT_FALSE(electrons_per_pixel({}, 1, 1));
}

TEST(Dose, ContradictionsAreRefused) {
  EXPECT_THROW(electrons_per_pixel({.dose_e_per_A2 = 1, .dose_total_e_per_A2 = 1}, 1, 1), InputError);
  EXPECT_THROW(electrons_per_pixel({.dose_e_per_A2 = 1, .screen_current_pA = 1, .dwell_us = 1}, 1, 1),
               InputError);
  EXPECT_THROW(electrons_per_pixel({.screen_current_pA = 1}, 1, 1), InputError);
  EXPECT_THROW(electrons_per_pixel({.dwell_us = 1}, 1, 1), InputError);
  EXPECT_THROW(electrons_per_pixel({.dose_e_per_A2 = 0}, 1, 1), InputError);
}

/// Mean and variance of the counts of one image of constant 0.01.
struct Counts {
  Array<double, 2> image{{256, 256}};
  double mean = 0, variance = 0;
  Counts(double electrons, std::size_t tilt, std::size_t signal) {
    for (double& v : image) v = 0.01;
    add_counting_noise(image, electrons, {}, 42, tilt, signal);
    const double n = static_cast<double>(image.size());
    for (double& v : image) {
      v *= electrons;
      EXPECT_NEAR(v, std::round(v), 1e-9);
      mean += v / n;
    }
    for (double v : image) variance += (v - mean) * (v - mean) / n;
  }
};

TEST(Noise, CountsHaveTheMeanAndVarianceOfPoisson) {
  const double electrons = *electrons_per_pixel({.dose_e_per_A2 = 1000}, 0.3434, 3);
  for (std::size_t tilt = 0; tilt < 3; ++tilt) {
    const Counts counts(electrons, tilt, 0);
    EXPECT_NEAR(counts.mean, 1.179, 4 * std::sqrt(1.179 / 65536));
    EXPECT_NEAR(counts.variance, 1.179, 4 * 1.179 * std::sqrt((2 + 1 / 1.179) / 65536));
  }
  const Counts many(1e5, 0, 0);  // mean 1000: the other sampler
  EXPECT_NEAR(many.mean, 1000, 4 * std::sqrt(1000. / 65536));
  EXPECT_NEAR(many.variance, 1000, 4 * 1000 * std::sqrt(2. / 65536));
}

/// Mean m + offset and variance m (1 + gain_sd²) + read_noise², where few electrons are counted and where
/// many.
TEST(Noise, ADetectorAddsItsOffsetGainSpreadAndReadOut) {
  const DetectorNoise noise{5, 0.5, 2};
  for (const double expected : {0.0, 1.5, 400.0}) {
    Array<double, 2> image({256, 256});
    for (double& v : image) v = expected / 1e4;
    add_counting_noise(image, 1e4, noise, 42, 3, 1);
    const auto n = static_cast<double>(image.size());
    double mean = 0, variance = 0;
    for (const double v : image) mean += v * 1e4 / n;
    for (const double v : image) variance += (v * 1e4 - mean) * (v * 1e4 - mean) / n;
    const double spread = expected * 1.25 + 4;
    EXPECT_NEAR(mean, expected + 5, 4 * std::sqrt(spread / n)) << expected;
    EXPECT_NEAR(variance, spread, 4 * spread * std::sqrt(3 / n)) << expected;
  }
}

TEST(Noise, OneOfThemAloneKeepsTheCounts) {
  Array<double, 2> counts({64, 64}), shifted({64, 64});
  for (double& v : counts) v = 0.01;
  std::copy(counts.begin(), counts.end(), shifted.begin());
  add_counting_noise(counts, 1000, {}, 42, 0, 0);
  add_counting_noise(shifted, 1000, {.offset_electrons = 3}, 42, 0, 0);
  for (std::size_t i = 0; i < counts.size(); ++i)
    EXPECT_NEAR(shifted.data()[i], counts.data()[i] + 3e-3, 1e-12);
}

TEST(Noise, ImagesAreIndependent) {
  const Counts a(118, 0, 0), b(118, 1, 0), c(118, 0, 1), again(118, 0, 0);
  const auto correlation = [](const Counts& p, const Counts& q) {
    double sum = 0;
    for (std::size_t i = 0; i < p.image.size(); ++i)
      sum += (p.image.flat()[i] - p.mean) * (q.image.flat()[i] - q.mean);
    return sum / static_cast<double>(p.image.size()) / std::sqrt(p.variance * q.variance);
  };
  EXPECT_LT(std::abs(correlation(a, b)), 4. / 256);
  EXPECT_LT(std::abs(correlation(a, c)), 4. / 256);
  EXPECT_DOUBLE_EQ(correlation(a, again), 1);
}

}  // namespace
}  // namespace aetos::imaging
