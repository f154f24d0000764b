#pragma once

#include <cstdint>

#include "aetos/core/array.hpp"

/// What surrounds the object in a projection.
namespace aetos::imaging {

/// The threshold that splits values best in two classes (Otsu 1979, eq. 14), from a histogram of 256 bins
/// over their range. The value of all if they are equal.
double otsu_threshold(View<const float, 2> image);

/// 1 where the object is. The image is averaged over 5 x 5 pixels; the object is what lies above Otsu's
/// threshold or above the rest's median by 4 of its robust standard deviations (at least a twentieth of the
/// way to the threshold), whichever is lower; grown by 3 pixels.
Array<std::uint8_t, 2> object_mask(View<const float, 2> image);

/// a + b (y - ny / 2) + c (x - nx / 2).
struct Plane {
  double a = 0, b = 0, c = 0;
};
/// The plane through the pixels where the mask is 0, by least squares; only its constant where they are fewer
/// than 16, or 0 without any.
Plane fit_background_plane(View<const float, 2> image, View<const std::uint8_t, 2> object);
/// Mean of the pixels where the mask is 0; 0 without any.
double mean_background(View<const float, 2> image, View<const std::uint8_t, 2> object);

void subtract_plane(View<float, 2> image, const Plane& plane);
/// Subtracts `constant` where the object is, and sets the rest to zero.
void keep_object(View<float, 2> image, View<const std::uint8_t, 2> object, double constant);

}  // namespace aetos::imaging
