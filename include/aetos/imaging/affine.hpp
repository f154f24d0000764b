#pragma once

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"

namespace aetos::imaging {

/// The image seen on another grid: pixel r (x, y, from index n / 2) of the result shows what the image has at
/// matrix * r. Interpolated by Lanczos's kernel of 4 pixels on each side, which keeps constants; beyond its
/// border the image goes on with the border's value. The shape stays.
Array<float, 2> resample(View<const float, 2> image, const Eigen::Matrix2d& matrix);

}  // namespace aetos::imaging
