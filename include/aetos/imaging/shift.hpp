#pragma once

#include "aetos/core/array.hpp"

namespace aetos::imaging {

/// A displacement in pixels: of what an image shows, towards larger indices where positive.
struct Shift {
  double y = 0, x = 0;
  friend bool operator==(const Shift&, const Shift&) = default;
};

/// What the image shows, moved by `shift`. Whole pixels are copied; the rest is a Fourier shift of the image,
/// continued so that its end fades into its beginning. Pixels that the image does not reach are zero: nothing
/// comes in from the opposite border.
Array<float, 2> shift_image(View<const float, 2> image, const Shift& shift);

}  // namespace aetos::imaging
