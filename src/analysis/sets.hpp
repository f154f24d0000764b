#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace aetos::analysis {

/// Items 0 .. n - 1 in sets that are joined two at a time (union and find).
class Sets {
 public:
  explicit Sets(std::size_t n) : parent_(n) { std::iota(parent_.begin(), parent_.end(), std::size_t{0}); }
  /// The set of an item, by the least of its items.
  std::size_t find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) {
    a = find(a);
    b = find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace aetos::analysis
