#include "spreading.hpp"

#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

/// First fine pixel that an atom touches, wrapped; fills its weights there.
std::size_t footprint(double place_px, std::size_t n, std::array<float, SpreadingKernel::kWidth>& weight) {
  constexpr double half = SpreadingKernel::kWidth / 2.0;
  const double first = std::ceil(place_px - half);
  for (std::size_t i = 0; i < weight.size(); ++i)
    weight[i] =
        static_cast<float>(SpreadingKernel::value((first + static_cast<double>(i) - place_px) / half));
  const auto m = static_cast<std::ptrdiff_t>(n);
  return static_cast<std::size_t>((static_cast<std::ptrdiff_t>(first) % m + m) % m);
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

void SpreadAtoms::add(std::span<const PlacedAtom> atoms, bool imaginary) {
  for (const PlacedAtom& atom : atoms) {
    Bump bump;
    bump.column = footprint(2 * atom.x_A / grid_.dx_A, nx_, bump.weight_x);
    bump.row = footprint(2 * atom.y_A / grid_.dy_A, ny_, bump.weight_y);
    for (float& w : bump.weight_y) w *= atom.weight;
    bump.imaginary = imaginary;
    bumps_.push_back(bump);
  }
}

bool SpreadAtoms::add_to_rows(std::size_t y, ComplexLane* rows) const {
  bool any = false;
  for (const Bump& bump : bumps_) {
    const std::size_t row_end = bump.row + kWidth;
    if (row_end <= ny_ && (bump.row >= y + kLanes || row_end <= y)) continue;
    for (std::size_t j = 0; j < kWidth; ++j) {
      const std::size_t lane = (bump.row + j) % ny_ - y;  // huge for rows before y
      if (lane >= kLanes) continue;
      any = true;
      for (std::size_t i = 0; i < kWidth; ++i) {
        std::size_t x = bump.column + i;
        if (x >= nx_) x %= nx_;
        Lane& part = bump.imaginary ? rows[x].im : rows[x].re;
        part[lane] += bump.weight_y[j] * bump.weight_x[i];
      }
    }
  }
  return any;
}

}  // namespace aetos::multislice
