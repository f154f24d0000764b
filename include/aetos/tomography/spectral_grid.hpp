#pragma once

#include <algorithm>
#include <cstddef>

#include "aetos/core/geometry.hpp"

/// Small helpers of the Fourier projectors: grids whose index 0 is the centre, with negative coordinates at
/// the end.
namespace aetos::tomography {

/// Tolerance at borders, in pixels or bins: rounding of the geometry must not push a border sample outside.
inline constexpr double kEdge = 1e-6;

struct Complex {
  float re = 0, im = 0;
};

/// Whether signed frequency k lies on the grid of n: -(n / 2) .. (n - 1) / 2.
inline bool on_grid(double k, std::size_t n) {
  return k >= -static_cast<double>(n / 2) - kEdge && k <= static_cast<double>((n - 1) / 2) + kEdge;
}

/// Index of signed coordinate i, -n <= i < 2 n, on a periodic grid of n.
inline std::size_t wrapped(std::ptrdiff_t i, std::size_t n) {
  const auto m = static_cast<std::ptrdiff_t>(n);
  return static_cast<std::size_t>(i < 0 ? i + m : (i >= m ? i - m : i));
}

/// Index on a periodic grid about index 0 of index i of n about the centre.
inline std::size_t place(std::size_t i, std::size_t n, std::size_t padded_n) {
  return wrapped(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(centre_index(n)), padded_n);
}

/// Copies a row of n values about its centre into a padded one about index 0; what lies between is left
/// alone.
inline void wrap_row(const float* row, std::size_t n, float* padded, std::size_t padded_n) {
  const std::size_t centre = centre_index(n);
  std::copy(row + centre, row + n, padded);
  std::copy(row, row + centre, padded + padded_n - centre);
}

/// The way back, cropped to n values.
inline void unwrap_row(const float* padded, std::size_t padded_n, float* row, std::size_t n) {
  const std::size_t centre = centre_index(n);
  std::copy(padded, padded + n - centre, row + centre);
  std::copy(padded + padded_n - centre, padded + padded_n, row);
}

}  // namespace aetos::tomography
