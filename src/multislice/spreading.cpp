#include "spreading.hpp"

#include <array>
#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

/// First fine pixel that an atom touches, and its weights there.
struct Footprint {
  std::ptrdiff_t first;
  std::array<float, SpreadingKernel::kWidth> weight;
};

Footprint footprint(double place_px) {
  constexpr double half = SpreadingKernel::kWidth / 2.0;
  Footprint f;
  const double first = std::ceil(place_px - half);
  f.first = static_cast<std::ptrdiff_t>(first);
  for (std::size_t i = 0; i < f.weight.size(); ++i)
    f.weight[i] =
        static_cast<float>(SpreadingKernel::value((first + static_cast<double>(i) - place_px) / half));
  return f;
}

std::size_t wrap(std::ptrdiff_t i, std::size_t n) {
  const auto m = static_cast<std::ptrdiff_t>(n);
  return static_cast<std::size_t>((i % m + m) % m);
}

}  // namespace

double SpreadingKernel::value(double z) {
  const double s = 1 - z * z;
  return s <= 0 ? 0 : std::exp(kBeta * (std::sqrt(s) - 1));
}

double SpreadingKernel::transform(double frequency) {
  // The integrand is smooth and nearly zero at its ends, where the midpoint rule converges fastest.
  constexpr int kPoints = 400;
  double sum = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double z = (i + 0.5) / kPoints;
    sum += value(z) * std::cos(kPi * frequency * kWidth * z);
  }
  return sum * kWidth / kPoints;
}

void spread_atoms(std::span<const PlacedAtom> atoms, const FftGrid& grid, View<float, 2> fine) {
  for (const PlacedAtom& atom : atoms) {
    const Footprint fx = footprint(2 * atom.x_A / grid.dx_A), fy = footprint(2 * atom.y_A / grid.dy_A);
    std::array<std::size_t, SpreadingKernel::kWidth> column;
    for (std::size_t i = 0; i < column.size(); ++i)
      column[i] = wrap(fx.first + static_cast<std::ptrdiff_t>(i), 2 * grid.nx);
    for (std::size_t j = 0; j < fy.weight.size(); ++j) {
      float* row = &fine(wrap(fy.first + static_cast<std::ptrdiff_t>(j), 2 * grid.ny), 0);
      const float scale = atom.weight * fy.weight[j];
      for (std::size_t i = 0; i < column.size(); ++i) row[column[i]] += scale * fx.weight[i];
    }
  }
}

}  // namespace aetos::multislice
