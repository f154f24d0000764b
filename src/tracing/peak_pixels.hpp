#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "aetos/core/array.hpp"
#include "aetos/parallel/partition.hpp"

namespace aetos::tracing {

/// Of n pixels along an axis, `pixel` wide and counted from the one in the `middle`, those no farther than
/// `reach` from `centre` (lengths in the unit of `pixel`).
inline Range pixels_within(double centre, double reach, double middle, double pixel, std::size_t n) {
  const double limit = static_cast<double>(n);
  const double first = std::ceil((centre - reach) / pixel + middle),
               last = std::floor((centre + reach) / pixel + middle);
  return {static_cast<std::size_t>(std::clamp(first, 0.0, limit)),
          static_cast<std::size_t>(std::clamp(last + 1, 0.0, limit))};
}

/// Weight of a pixel; without weights each counts 1.
inline double weight_at(View<const float, 2> weight, std::size_t pixel) {
  return weight.empty() ? 1 : static_cast<double>(weight.data()[pixel]);
}

}  // namespace aetos::tracing
