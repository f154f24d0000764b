#pragma once

#include "aetos/core/array.hpp"

namespace aetos::imaging {

/// Convolves an image (y, x) with the Gaussian of a finite source, as the Fourier multiplier exp(-2 pi² s²
/// k²) with s = fwhm_A / 2.3548. `step_y_A` and `step_x_A` are the distances of its points. The image is
/// continued by its own border values for 8 s on each side, so that a constant stays a constant and nothing
/// comes in from the opposite border. A width of 0 returns the image unchanged.
Array<double, 2> blur_source_size(View<const double, 2> image, double fwhm_A, double step_y_A,
                                  double step_x_A);

}  // namespace aetos::imaging
