#pragma once

#include <cstddef>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/imaging/shift.hpp"

/// Displacements between projections of one object.
namespace aetos::imaging {

/// What an image tells by itself about where its object is: the object's intensity above the background
/// around it (object_mask), which neither an offset nor noise in the vacuum can pull.
struct ObjectPlace {
  double total = 0;             ///< sum over the object
  double y = 0, x = 0;          ///< its centre of mass, pixels from index n / 2; 0 without intensity
  std::vector<double> along_y;  ///< sums of the rows: the projection onto the tilt axis y
};
ObjectPlace locate_object(View<const float, 2> image);

/// The displacement of `b` against `a` that gives the highest cross-correlation of the two curves, sub-pixel:
/// b(i) ~ a(i - shift). Both about the mean of their ends, continued by zeros:
/// an overall mean would pull the result towards zero.
double displacement(const std::vector<double>& a, const std::vector<double>& b);

/// The same of two images: b(r) ~ a(r - shift).
Shift displacement(View<const float, 2> a, View<const float, 2> b);

/// Shifts (to be applied) that bring all curves onto their common mean: the common line of a series of one
/// tilt axis, whose sums across the axis are equal at all tilts. Found in turns; their mean is zero. Curves
/// without intensity stay where they are.
std::vector<double> common_line_shifts(const std::vector<std::vector<double>>& curves);

/// The image stretched by `factor` along x about index n / 2, linearly interpolated, zero beyond its border:
/// nearly what a flat object shows at another tilt.
Array<float, 2> stretch_x(View<const float, 2> image, double factor);

}  // namespace aetos::imaging
