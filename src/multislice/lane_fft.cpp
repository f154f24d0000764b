#include "lane_fft.hpp"

#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

/// Radices of n: threes, fives and other primes first, then as few fours and eights as hold its power of two.
std::vector<std::size_t> radices_of(std::size_t n) {
  std::vector<std::size_t> radices;
  std::size_t twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  for (std::size_t p = 3; n > 1; p += 2)
    for (; n % p == 0; n /= p) radices.push_back(p);
  if (twos == 1) {
    radices.push_back(2);
  } else if (twos > 1) {
    const std::size_t stages = (twos + 2) / 3, eights = twos - 2 * stages;
    for (std::size_t s = 0; s < stages; ++s) radices.push_back(s < eights ? 8 : 4);
  }
  if (radices.empty()) radices.push_back(1);
  return radices;
}

void push_root(std::vector<float>& list, std::size_t numerator, std::size_t denominator) {
  const double angle =
      -2 * kPi * static_cast<double>(numerator % denominator) / static_cast<double>(denominator);
  list.push_back(static_cast<float>(std::cos(angle)));
  list.push_back(static_cast<float>(std::sin(angle)));
}

}  // namespace

LaneFft::LaneFft(std::size_t n) : order_(n, 0) {
  std::size_t blocks = 1, length = n;
  for (const std::size_t radix : radices_of(n)) {
    length /= radix;
    Stage stage{radix, blocks, length, {}, {}};
    for (std::size_t j = 0; j < length; ++j)
      for (std::size_t p = 1; p < radix; ++p) push_root(stage.twiddles, j * p, radix * length);
    for (std::size_t p = 0; p < radix; ++p) push_root(stage.roots, p, radix);
    // Position p1 (n / r1) + p2 (n / (r1 r2)) + ... holds index p1 + r1 p2 + r1 r2 p3 + ...
    for (std::size_t i = 0; i < n; ++i) order_[i] += static_cast<std::uint32_t>(i / length % radix * blocks);
    stages_.push_back(std::move(stage));
    blocks *= radix;
  }
}

}  // namespace aetos::multislice
