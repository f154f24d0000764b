#pragma once

#include <cstddef>
#include <vector>

#include "aetos/core/array.hpp"

/// Pixels that a detector or a cosmic ray spoilt.
namespace aetos::imaging {

/// The neighbourhood that a pixel is judged by: kBadPixelReach pixels on each side.
inline constexpr std::size_t kBadPixelReach = 2;

struct MendedPixel {
  float value = 0;
  bool replaced = false;
};

/// The value of image (row, column), or the median of its finite neighbours where it is not finite or hot:
/// more than 8 robust standard deviations of the neighbours above their median, a standard deviation being at
/// least a quarter of `mean`, the image's mean, so that single counts in vacuum are not hot. A pixel without
/// finite neighbours becomes 0. `work` is memory to use again.
MendedPixel mend_pixel(View<const float, 2> image, std::size_t row, std::size_t column, double mean,
                       std::vector<double>& work);

/// An image with all its bad pixels replaced, and how many they were.
struct MendedImage {
  Array<float, 2> image;
  std::size_t replaced = 0;
};
MendedImage mend_bad_pixels(View<const float, 2> image);

}  // namespace aetos::imaging
