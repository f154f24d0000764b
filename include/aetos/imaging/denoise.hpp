#pragma once

#include "aetos/core/array.hpp"

/// Denoising of images of counts. Poisson noise becomes Gaussian noise of variance 1 by Anscombe's transform
/// 2 sqrt(n + 3/8) (Anscombe 1948); the way back is the unbiased one (Makitalo and Foi 2011, eq. 10).
namespace aetos::imaging {

/// The transform of counts n, and the unbiased inverse, both pixel by pixel. Negative counts are 0.
Array<float, 2> anscombe(View<const float, 2> counts);
Array<float, 2> inverse_anscombe(View<const float, 2> transformed);

/// Non-local means (Buades, Coll and Morel 2005) for noise of variance 1: each pixel is the mean of those
/// within 7 pixels whose surroundings of 5 x 5 pixels look alike, beyond what the noise alone makes differ.
Array<float, 2> non_local_means(View<const float, 2> image);

/// Thresholding of the undecimated B3-spline wavelet transform (Starck and Murtagh 2006) for noise of
/// variance 1: of 4 scales, coefficients below 3 standard deviations are dropped.
Array<float, 2> wavelet_threshold(View<const float, 2> image);

/// Block matching and 3D filtering (Dabov, Foi, Katkovnik and Egiazarian 2007) for noise of variance 1:
/// groups of alike blocks of 8 x 8 are filtered together, by a hard threshold and then by Wiener's filter
/// with that result. Images smaller than a block come back as they are.
Array<float, 2> bm3d(View<const float, 2> image);

/// Counts per unit of an image whose noise is Poisson's, from its own pixels: the median over blocks of 8 x 8
/// of mean over variance, the variance that of diagonal second differences. 0 where there is no noise.
double estimate_counts_per_unit(View<const float, 2> image);

enum class Denoiser { bm3d, non_local_means, wavelet };
/// An image with `counts_per_unit` counts in a value of 1, denoised; its total is kept.
Array<float, 2> denoise(View<const float, 2> image, Denoiser method, double counts_per_unit);

}  // namespace aetos::imaging
