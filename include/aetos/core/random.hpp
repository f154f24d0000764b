#pragma once

#include <array>
#include <cstdint>

/// Random numbers as a function of (seed, what they are for, indices), never a stream that depends on order:
/// the same numbers on any number of ranks and after any restart. Philox4x32-10 (Salmon et al. 2011)
/// underneath.
namespace aetos::random {

/// What a number is for. Values are part of the file format of a run: append, never renumber.
enum class Domain : std::uint32_t {
  thermal_displacement = 1,
  occupancy = 2,
  poisson_noise = 3,
  window_sample = 4,
  clustering = 5,
  test = 6,
  builder = 7,
  detector_noise = 8,
};

/// Where a number stands within its domain, for example (tilt, configuration, atom).
struct Index {
  std::uint32_t a = 0, b = 0;
  std::uint64_t c = 0;
};

/// Four independent 32-bit words.
std::array<std::uint32_t, 4> words(std::uint64_t seed, Domain domain, const Index& index);
/// Four independent uniform numbers in the open interval (0, 1).
std::array<double, 4> uniform4(std::uint64_t seed, Domain domain, const Index& index);
/// Four independent standard normal numbers (Box-Muller).
std::array<double, 4> normal4(std::uint64_t seed, Domain domain, const Index& index);
/// A Poisson number of the given mean >= 0: inversion below 10, transformed rejection (Hoermann 1993, PTRS)
/// above.
std::uint64_t poisson(double mean, std::uint64_t seed, Domain domain, const Index& index);

}  // namespace aetos::random
