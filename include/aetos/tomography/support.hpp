#pragma once

#include <cstdint>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/tomography/projector.hpp"

/// The region that the projections leave possible for the object (its visual hull), meant to be generous.
namespace aetos::tomography {

/// Means over at least this many neighbouring pixels across the tilt axis are compared with the threshold.
inline constexpr std::size_t kSupportMean = 5;
/// Electrons that a mean over pixels inside an object holds; fewer leave gaps in what a projection sees.
inline constexpr double kSupportCounts = 10;
/// Threshold, as a share of the projection's largest such mean.
inline constexpr double kSupportThreshold = 0.005;
/// Share of the projections that may see nothing at a voxel and still leave it inside (noise, a lone surface
/// atom).
inline constexpr double kSupportDissent = 0.05;

/// Over the pixels of a row of all projections: of their values, of half the squared steps between
/// neighbours, and of products of pixels three apart.
struct PixelSums {
  double value = 0, step = 0, product = 0;
};
/// For rows 0 .. rows - 1 of images (projection, u, padded v).
std::vector<PixelSums> pixel_sums(View<const float, 3> images, std::size_t rows);

/// Pixels to take means over, odd: as many as hold kSupportCounts electrons where images are bright. Where
/// noise is Poisson's, the steps between neighbours tell what one electron is worth, and products of pixels
/// three apart, whose noise has nothing in common, how bright an object is where there is one.
std::size_t support_mean(const std::vector<PixelSums>& rows, std::size_t image_width);

/// Per projection, the largest mean over `mean` pixels along u in rows 0 .. rows - 1 of images (projection,
/// u, padded v).
std::vector<float> largest_means(View<const float, 3> images, std::size_t rows, std::size_t mean);

/// inside (z, x, padded y) is 1 where nearly all projections see something at the voxel's place, within half
/// of `mean` pixels along u, or do not cover it. `largest` is of all rows (`largest_means`, maximum over the
/// ranks). For a plain tilt series the arrays hold any slab of `rows` rows, else images are whole and the
/// volume's part has `held` rows from `first_row` on.
Array<std::uint8_t, 3> visual_hull(const Geometry& geometry, View<const float, 3> images, std::size_t rows,
                                   std::size_t mean, const std::vector<float>& largest, std::size_t first_row,
                                   std::size_t held);

}  // namespace aetos::tomography
