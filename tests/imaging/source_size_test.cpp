#include "aetos/imaging/source_size.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace aetos::imaging {
namespace {

TEST(SourceSize, FullWidthAtHalfMaximumIsTheOneAskedFor) {
  // A point becomes a Gaussian: its values follow exp(-4 ln 2 r² / fwhm²), so its half width is fwhm / 2.
  const double step = 0.05, fwhm = 0.8;
  Array<double, 2> point({81, 81});
  point(40, 40) = 1;
  const auto blurred = blur_source_size(point, fwhm, step, step);
  EXPECT_NEAR(blurred(40, 48) / blurred(40, 40), 0.5, 1e-9);
  EXPECT_NEAR(blurred(32, 40) / blurred(40, 40), 0.5, 1e-9);
  EXPECT_NEAR(blurred(44, 44) / blurred(40, 40), std::exp(-4 * std::numbers::ln2 * 2 * 0.04 / (fwhm * fwhm)),
              1e-9);
  double sum = 0;
  for (double v : blurred) sum += v;
  EXPECT_NEAR(sum, 1, 1e-7);
}

TEST(SourceSize, StepsMayDiffer) {
  Array<double, 2> point({41, 81});
  point(20, 40) = 1;
  const auto blurred = blur_source_size(point, 0.8, 0.1, 0.05);
  EXPECT_NEAR(blurred(24, 40) / blurred(20, 40), 0.5, 1e-6);
  EXPECT_NEAR(blurred(20, 48) / blurred(20, 40), 0.5, 1e-6);
}

TEST(SourceSize, NothingWrapsToTheOppositeBorder) {
  Array<double, 2> column({20, 24});
  for (std::size_t y = 0; y < 20; ++y) column(y, 0) = 1;
  const auto blurred = blur_source_size(column, 0.8, 0.3434, 0.3434);
  for (std::size_t y = 0; y < 20; ++y) {
    // A pixel of 0.3434 Å cuts the multiplier off where it is still 0.008: a ripple of 6e-6, no wrapping.
    EXPECT_NEAR(blurred(y, 23), 0, 1e-5);
    EXPECT_GT(blurred(y, 1), 0.1);
    EXPECT_NEAR(blurred(y, 0), blurred(0, 0), 1e-5);  // nothing is lost at the upper and lower border either
  }
}

TEST(SourceSize, AConstantStaysConstantAndZeroWidthDoesNothing) {
  Array<double, 2> flat({7, 1});
  for (double& v : flat) v = 0.01;
  for (double v : blur_source_size(flat, 0.8, 0.3434, 0.3434)) EXPECT_NEAR(v, 0.01, 1e-15);
  Array<double, 2> one({1, 1});
  one(0, 0) = 3;
  EXPECT_EQ(blur_source_size(one, 0, 0.3, 0.3)(0, 0), 3);
  EXPECT_NEAR(blur_source_size(one, 2, 0.3, 0.3)(0, 0), 3, 1e-12);
}

}  // namespace
}  // namespace aetos::imaging
