#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace aetos {

/// A half-open range of indices.
struct Range {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
  bool empty() const { return end <= begin; }
  friend bool operator==(const Range&, const Range&) = default;
};

/// Part `part` of `parts` of 0..n in contiguous blocks whose lengths differ by at most one (the longer ones
/// first).
Range block_partition(std::size_t n, std::size_t parts, std::size_t part);

/// The items (indices into `cost`, ascending) that each of `parts` gets when they are dealt longest first to
/// the part with the least work so far; ties go to the lower index, so every rank computes the same answer.
std::vector<std::vector<std::size_t>> weighted_partition(std::span<const double> cost, std::size_t parts);

}  // namespace aetos
