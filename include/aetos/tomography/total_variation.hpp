#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"

namespace aetos::tomography {

/// Part of a volume (z, x, padded y): rows 0 .. `rows` - 1, planes `first_plane` .. `last_plane` - 1.
/// `before` and `after` are the rows (z, x) beside it, empty at the volume's borders.
struct VolumePart {
  View<const float, 3> u;
  std::size_t rows = 0, first_plane = 0, last_plane = 0;
  std::span<const float> before, after;
};

/// Smoothed total variation, the sum over voxels of sqrt(|grad u|^2 + epsilon^2) - epsilon (Acar and Vogel
/// 1994, eq. 1.4), with differences to the next voxel along z, x and y, none beyond a border. Adds `weight`
/// times its gradient to `gradient` (voxels of the part as z, x, row, not padded) and returns weight times
/// the sums over each row of a slab, or over each plane where the part is some planes of all rows.
std::vector<double> add_total_variation(const VolumePart& part, double weight, double epsilon, bool by_plane,
                                        double* gradient);

}  // namespace aetos::tomography
