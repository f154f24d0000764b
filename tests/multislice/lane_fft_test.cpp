#include "../../src/multislice/lane_fft.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "../../src/multislice/phase.hpp"
#include "aetos/core/array.hpp"
#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

using Complex = std::complex<double>;

Array<ComplexLane, 1> some_values(std::size_t n) {
  Array<ComplexLane, 1> values({n});
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t l = 0; l < kLanes; ++l) {
      values(i).re[l] = static_cast<float>(std::sin(1.7 * static_cast<double>(i * kLanes + l)));
      values(i).im[l] = static_cast<float>(std::cos(0.9 * static_cast<double>(i * i + l)));
    }
  return values;
}

Complex at(const Array<ComplexLane, 1>& values, std::size_t i, std::size_t lane) {
  return {static_cast<double>(values(i).re[lane]), static_cast<double>(values(i).im[lane])};
}

TEST(LaneFft, AgreesWithTheDefiningSumForAnyLength) {
  for (const std::size_t n : {1, 2, 3, 4, 5, 8, 14, 30, 64, 77, 96, 100, 128}) {
    const LaneFft fft(n);
    const auto input = some_values(n);
    auto output = input.clone();
    fft.to_scrambled<-1>(output.data());
    for (const std::size_t lane : {std::size_t{0}, kLanes - 1})
      for (std::size_t i = 0; i < n; ++i) {
        Complex sum{};
        for (std::size_t x = 0; x < n; ++x)
          sum += at(input, x, lane) * std::polar(1.0, -2 * kPi * static_cast<double>(fft.order()[i] * x % n) /
                                                          static_cast<double>(n));
        EXPECT_LT(std::abs(at(output, i, lane) - sum), 3e-6 * static_cast<double>(n)) << n << " at " << i;
      }
  }
}

TEST(LaneFft, ThereAndBackIsTheIdentityTimesLength) {
  for (const std::size_t n : {6, 96, 49, 256}) {
    const LaneFft fft(n);
    const auto input = some_values(n);
    auto apart = input.clone(), together = input.clone();
    fft.to_scrambled<1>(apart.data());
    fft.from_scrambled<-1>(apart.data());
    fft.filter<1>(together.data(), [](std::size_t, const ComplexLane& v) { return v; });
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_LT(std::abs(at(apart, i, kLanes - 1) / static_cast<double>(n) - at(input, i, kLanes - 1)), 2e-6);
      EXPECT_LT(std::abs(at(together, i, kLanes - 1) / static_cast<double>(n) - at(input, i, kLanes - 1)),
                2e-6);
    }
  }
}

TEST(Phasors, AgreeWithSineAndCosine) {
  for (float first = -40; first < 40; first += 0.219f) {
    Lane angle;
    for (std::size_t l = 0; l < kLanes; ++l) angle[l] = first + 0.0137f * static_cast<float>(l);
    const ComplexLane phasor = unit_phasor(angle);
    for (std::size_t l = 0; l < kLanes; ++l) {
      const Complex expected = std::polar(1.0, static_cast<double>(angle[l]));
      EXPECT_LT(std::abs(Complex(phasor.re[l], phasor.im[l]) - expected), 3e-7) << angle[l];
    }
  }
}

}  // namespace
}  // namespace aetos::multislice
