#include "aetos/core/random.hpp"

#include <Random123/philox.h>

#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::random {
namespace {

std::array<std::uint32_t, 4> philox(std::uint64_t seed, Domain domain, const Index& index, std::uint32_t round) {
  // 32 bits of a, 32 of b, 64 of c, a domain and a round have to fit a 128-bit counter and a 64-bit key: domain and
  // round are mixed into the seed by a first block, so that no two uses share a (key, counter) pair.
  using Generator = r123::Philox4x32;
  const Generator generator;
  Generator::ctr_type label{{static_cast<std::uint32_t>(domain), round, 0x41455453u, 0}};
  Generator::key_type seed_key{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const auto mixed = generator(label, seed_key);
  Generator::key_type key{{mixed[0], mixed[1]}};
  Generator::ctr_type counter{{index.a, index.b, static_cast<std::uint32_t>(index.c),
                               static_cast<std::uint32_t>(index.c >> 32)}};
  const auto out = generator(counter, key);
  return {out[0], out[1], out[2], out[3]};
}

double open_unit(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

double open_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 21) ^ (low >> 11);
  return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

std::uint64_t poisson_by_inversion(double mean, double u) {
  double probability = std::exp(-mean), cumulative = probability;
  std::uint64_t k = 0;
  while (u > cumulative && k < 1000) {
    ++k;
    probability *= mean / static_cast<double>(k);
    cumulative += probability;
  }
  return k;
}

}  // namespace

std::array<std::uint32_t, 4> words(std::uint64_t seed, Domain domain, const Index& index) {
  return philox(seed, domain, index, 0);
}

std::array<double, 4> uniform4(std::uint64_t seed, Domain domain, const Index& index) {
  const auto w = words(seed, domain, index);
  return {open_unit(w[0]), open_unit(w[1]), open_unit(w[2]), open_unit(w[3])};
}

std::array<double, 4> normal4(std::uint64_t seed, Domain domain, const Index& index) {
  const auto u = uniform4(seed, domain, index);
  const double r0 = std::sqrt(-2 * std::log(u[0])), r1 = std::sqrt(-2 * std::log(u[2]));
  const double a0 = 2 * kPi * u[1], a1 = 2 * kPi * u[3];
  return {r0 * std::cos(a0), r0 * std::sin(a0), r1 * std::cos(a1), r1 * std::sin(a1)};
}

std::uint64_t poisson(double mean, std::uint64_t seed, Domain domain, const Index& index) {
  if (!(mean > 0)) return 0;
  if (mean < 10) {
    const auto w = philox(seed, domain, index, 0);
    return poisson_by_inversion(mean, open_unit(w[0], w[1]));
  }
  // PTRS, W. Hoermann, Insurance: Mathematics and Economics 12 (1993) 39.
  const double b = 0.931 + 2.53 * std::sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double inv_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double v_r = 0.9277 - 3.6224 / (b - 2);
  for (std::uint32_t round = 0;; ++round) {
    const auto w = philox(seed, domain, index, round);
    const double u = open_unit(w[0], w[1]) - 0.5, v = open_unit(w[2], w[3]);
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r) return static_cast<std::uint64_t>(k);
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inv_alpha) - std::log(a / (us * us) + b) <=
        -mean + k * std::log(mean) - std::lgamma(k + 1))
      return static_cast<std::uint64_t>(k);
  }
}

}  // namespace aetos::random
