#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace aetos {

/// The median of values that may be put in another order; of an even number the upper of the two in the
/// middle. There must be one at least.
inline double upper_median(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace aetos
