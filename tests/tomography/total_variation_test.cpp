#include "aetos/tomography/total_variation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tomography/phantoms.hpp"

namespace aetos::tomography {
namespace {

constexpr std::size_t kNz = 4, kNx = 5, kRows = 6;
constexpr double kWeight = 0.7, kEpsilon = 0.05;

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

class TotalVariation : public ::testing::Test {
 protected:
  TotalVariation() : u_({kNz, kNx, padded_rows(kRows)}), gradient_(kNz * kNx * kRows) {
    test::fill_random(u_, kRows, 11);
  }
  double value(const Array<float, 3>& u) const {
    std::vector<double> unused(gradient_.size());
    return sum(
        add_total_variation({u.view(), kRows, 0, kNz, {}, {}}, kWeight, kEpsilon, false, unused.data()));
  }
  Array<float, 3> u_;
  std::vector<double> gradient_;
};

TEST_F(TotalVariation, GradientIsThatOfFiniteDifferences) {
  add_total_variation({u_.view(), kRows, 0, kNz, {}, {}}, kWeight, kEpsilon, false, gradient_.data());
  for (std::size_t z = 0; z < kNz; ++z)
    for (std::size_t x = 0; x < kNx; ++x)
      for (std::size_t y = 0; y < kRows; ++y) {
        const float h = 1.0F / 1024;
        auto more = u_.clone(), less = u_.clone();
        more(z, x, y) += h;
        less(z, x, y) -= h;
        const double step = static_cast<double>(more(z, x, y)) - less(z, x, y);
        EXPECT_NEAR(gradient_[(z * kNx + x) * kRows + y], (value(more) - value(less)) / step, 2e-4);
      }
}

/// A step of height 1 across x counts its area, whatever epsilon.
TEST_F(TotalVariation, OfAStepIsItsArea) {
  for (std::size_t i = 0; i < kNz * kNx; ++i)
    for (std::size_t y = 0; y < kRows; ++y) u_.data()[i * u_.extent(2) + y] = i % kNx < 2 ? 1 : 0;
  EXPECT_NEAR(value(u_), kWeight * kNz * kRows * (std::hypot(1, kEpsilon) - kEpsilon), 1e-9);
}

/// Slabs of rows that see the rows beside them, and slabs of planes, make up the whole.
TEST_F(TotalVariation, PartsMakeUpTheWhole) {
  const double whole = sum(
      add_total_variation({u_.view(), kRows, 0, kNz, {}, {}}, kWeight, kEpsilon, false, gradient_.data()));
  const std::size_t cut = 2;
  double rows_sum = 0, planes_sum = 0;
  for (const bool first : {true, false}) {
    const std::size_t begin = first ? 0 : cut, rows = first ? cut : kRows - cut;
    Array<float, 3> part({kNz, kNx, padded_rows(rows)});
    std::vector<float> beside(kNz * kNx);
    for (std::size_t z = 0; z < kNz; ++z)
      for (std::size_t x = 0; x < kNx; ++x) {
        for (std::size_t y = 0; y < rows; ++y) part(z, x, y) = u_(z, x, begin + y);
        beside[z * kNx + x] = u_(z, x, first ? cut : cut - 1);
      }
    std::vector<double> gradient(kNz * kNx * rows);
    const std::span<const float> none;
    rows_sum +=
        sum(add_total_variation({part.view(), rows, 0, kNz, first ? none : std::span<const float>(beside),
                                 first ? std::span<const float>(beside) : none},
                                kWeight, kEpsilon, false, gradient.data()));
    for (std::size_t i = 0; i < kNz * kNx; ++i)
      for (std::size_t y = 0; y < rows; ++y)
        EXPECT_NEAR(gradient[i * rows + y], gradient_[i * kRows + begin + y], 1e-12);

    const std::size_t plane = first ? 0 : 1, planes = first ? 1 : kNz - 1;
    std::vector<double> of_planes(planes * kNx * kRows);
    planes_sum += sum(add_total_variation({u_.view(), kRows, plane, plane + planes, {}, {}}, kWeight,
                                          kEpsilon, true, of_planes.data()));
    for (std::size_t i = 0; i < of_planes.size(); ++i)
      EXPECT_NEAR(of_planes[i], gradient_[plane * kNx * kRows + i], 1e-12);
  }
  EXPECT_NEAR(rows_sum, whole, 1e-10);
  EXPECT_NEAR(planes_sum, whole, 1e-10);
}

}  // namespace
}  // namespace aetos::tomography
