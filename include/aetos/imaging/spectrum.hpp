#pragma once

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"

/// Fourier transforms of images under a window, as they are looked at and measured.
namespace aetos::imaging {

/// The Hann window sin²(pi (i + 1/2) / n) of n points.
Array<double, 1> hann_window(std::size_t n);

/// Power |F|² of the image about its mean under Hann windows along both axes, k = 0 at index (ny / 2, nx /
/// 2). Bin (j, i) has the frequency (j - ny / 2) / ny and (i - nx / 2) / nx, in cycles per pixel.
Array<double, 2> power_spectrum(View<const float, 2> image);

/// log10(1 + power / its median): 0 to 0.3 is noise, spots stand far above.
Array<float, 2> log_spectrum(View<const float, 2> image);

/// The Fourier transform under Hann windows at any place between bins.
class FineSpectrum {
 public:
  explicit FineSpectrum(View<const float, 2> image);

  /// The maximum of the power nearest to `start` (x, y; cycles per pixel), by Newton's method. No result if
  /// it leaves `reach_px` bins.
  struct Peak {
    bool found = false;
    Vec2 place = Vec2::Zero();
    double power = 0;
  };
  Peak peak(const Vec2& start, double reach_bins) const;

  /// Standard deviation of a peak's place along x and y (cycles per pixel) times its ratio of amplitude to
  /// noise: the noise of the derivative of |F| over its curvature, for white noise.
  const Vec2& place_error_at_unit_signal() const { return unit_error_; }

 private:
  Array<double, 2> windowed_;
  Vec2 unit_error_ = Vec2::Zero();
};

}  // namespace aetos::imaging
