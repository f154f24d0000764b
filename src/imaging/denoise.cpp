#include "aetos/imaging/denoise.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace aetos::imaging {
namespace {

constexpr std::ptrdiff_t kSearch = 7, kPatch = 2;
constexpr double kFilter2 = 0.36;  ///< h² of the weights exp(-excess / h²), in units of the noise's variance
constexpr std::size_t kBlock = 8;
/// Standard deviation of white noise of variance 1 at each scale (Starck and Murtagh 2006, table 2.1).
constexpr std::array<double, 4> kScaleNoise{0.889, 0.200, 0.086, 0.041};
constexpr double kThreshold = 3;

/// Index i of an axis of n pixels, mirrored at both ends.
std::ptrdiff_t mirrored(std::ptrdiff_t i, std::ptrdiff_t n) {
  const std::ptrdiff_t period = 2 * n;
  i = ((i % period) + period) % period;
  return i < n ? i : period - 1 - i;
}

/// Convolution with (1, 4, 6, 4, 1) / 16 on both axes, its taps `step` pixels apart.
Array<double, 2> spline_smooth(const Array<double, 2>& image, std::ptrdiff_t step) {
  constexpr std::array<double, 5> taps{1. / 16, 4. / 16, 6. / 16, 4. / 16, 1. / 16};
  const auto ny = static_cast<std::ptrdiff_t>(image.extent(0)),
             nx = static_cast<std::ptrdiff_t>(image.extent(1));
  Array<double, 2> rows(image.shape()), smooth(image.shape());
  for (std::ptrdiff_t y = 0; y < ny; ++y)
    for (std::ptrdiff_t x = 0; x < nx; ++x)
      for (std::ptrdiff_t k = 0; k < 5; ++k)
        rows(y, x) += taps[static_cast<std::size_t>(k)] * image(y, mirrored(x + (k - 2) * step, nx));
  for (std::ptrdiff_t y = 0; y < ny; ++y)
    for (std::ptrdiff_t x = 0; x < nx; ++x)
      for (std::ptrdiff_t k = 0; k < 5; ++k)
        smooth(y, x) += taps[static_cast<std::size_t>(k)] * rows(mirrored(y + (k - 2) * step, ny), x);
  return smooth;
}

/// Mean over the patch about each pixel of the squared difference between the image and itself moved by (dy,
/// dx).
Array<double, 2> patch_distance(View<const float, 2> image, std::ptrdiff_t dy, std::ptrdiff_t dx) {
  const auto ny = static_cast<std::ptrdiff_t>(image.extent(0)),
             nx = static_cast<std::ptrdiff_t>(image.extent(1));
  Array<double, 2> square(image.shape()), rows(image.shape()), mean(image.shape());
  for (std::ptrdiff_t y = 0; y < ny; ++y)
    for (std::ptrdiff_t x = 0; x < nx; ++x) {
      const double d = static_cast<double>(image(y, x)) - image(mirrored(y + dy, ny), mirrored(x + dx, nx));
      square(y, x) = d * d;
    }
  constexpr double share = 1.0 / (2 * kPatch + 1);
  for (std::ptrdiff_t y = 0; y < ny; ++y)
    for (std::ptrdiff_t x = 0; x < nx; ++x)
      for (std::ptrdiff_t k = -kPatch; k <= kPatch; ++k) rows(y, x) += share * square(y, mirrored(x + k, nx));
  for (std::ptrdiff_t y = 0; y < ny; ++y)
    for (std::ptrdiff_t x = 0; x < nx; ++x)
      for (std::ptrdiff_t k = -kPatch; k <= kPatch; ++k) mean(y, x) += share * rows(mirrored(y + k, ny), x);
  return mean;
}

}  // namespace

Array<float, 2> anscombe(View<const float, 2> counts) {
  Array<float, 2> out(counts.shape());
  std::transform(counts.begin(), counts.end(), out.begin(), [](float n) {
    return static_cast<float>(2 * std::sqrt(std::max(0.0, static_cast<double>(n)) + 0.375));
  });
  return out;
}

Array<float, 2> inverse_anscombe(View<const float, 2> transformed) {
  Array<float, 2> out(transformed.shape());
  std::transform(transformed.begin(), transformed.end(), out.begin(), [](float value) {
    const double d = std::max(static_cast<double>(value), 2 * std::sqrt(0.375)), root = std::sqrt(1.5);
    const double n = d * d / 4 + root / (4 * d) - 11 / (8 * d * d) + 5 * root / (8 * d * d * d) - 0.125;
    return static_cast<float>(std::max(0.0, n));
  });
  return out;
}

Array<float, 2> non_local_means(View<const float, 2> image) {
  const auto ny = static_cast<std::ptrdiff_t>(image.extent(0)),
             nx = static_cast<std::ptrdiff_t>(image.extent(1));
  Array<double, 2> sum(image.shape()), weight(image.shape());
  for (std::ptrdiff_t dy = -kSearch; dy <= kSearch; ++dy)
    for (std::ptrdiff_t dx = -kSearch; dx <= kSearch; ++dx) {
      const auto distance = patch_distance(image, dy, dx);
      for (std::ptrdiff_t y = 0; y < ny; ++y)
        for (std::ptrdiff_t x = 0; x < nx; ++x) {
          const double w = std::exp(-std::max(0.0, distance(y, x) - 2) / kFilter2);
          sum(y, x) += w * image(mirrored(y + dy, ny), mirrored(x + dx, nx));
          weight(y, x) += w;
        }
    }
  Array<float, 2> out(image.shape());
  for (std::size_t i = 0; i < out.size(); ++i)
    out.data()[i] = static_cast<float>(sum.data()[i] / weight.data()[i]);
  return out;
}

Array<float, 2> wavelet_threshold(View<const float, 2> image) {
  Array<double, 2> smooth(image.shape()), kept(image.shape());
  std::copy(image.begin(), image.end(), smooth.begin());
  for (std::size_t scale = 0; scale < kScaleNoise.size(); ++scale) {
    auto next = spline_smooth(smooth, std::ptrdiff_t{1} << scale);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const double coefficient = smooth.data()[i] - next.data()[i];
      if (std::abs(coefficient) > kThreshold * kScaleNoise[scale]) kept.data()[i] += coefficient;
    }
    smooth = std::move(next);
  }
  Array<float, 2> out(image.shape());
  for (std::size_t i = 0; i < out.size(); ++i)
    out.data()[i] = static_cast<float>(kept.data()[i] + smooth.data()[i]);
  return out;
}

double estimate_counts_per_unit(View<const float, 2> image) {
  std::vector<double> ratios;
  for (std::size_t y = 0; y + kBlock <= image.extent(0); y += kBlock)
    for (std::size_t x = 0; x + kBlock <= image.extent(1); x += kBlock) {
      double mean = 0, variance = 0;
      for (std::size_t v = y; v < y + kBlock; ++v)
        for (std::size_t u = x; u < x + kBlock; ++u)
          mean += image(v, u) / static_cast<double>(kBlock * kBlock);
      for (std::size_t v = y; v + 1 < y + kBlock; ++v)
        for (std::size_t u = x; u + 1 < x + kBlock; ++u) {
          const double d =
              (static_cast<double>(image(v, u)) - image(v, u + 1) - image(v + 1, u) + image(v + 1, u + 1)) /
              2;
          variance += d * d / static_cast<double>((kBlock - 1) * (kBlock - 1));
        }
      if (mean > 0 && variance > 0) ratios.push_back(mean / variance);
    }
  if (ratios.empty()) return 0;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  return *middle;
}

Array<float, 2> denoise(View<const float, 2> image, Denoiser method, double counts_per_unit) {
  Array<float, 2> counts(image.shape());
  const auto gain = static_cast<float>(counts_per_unit);
  std::transform(image.begin(), image.end(), counts.begin(), [gain](float v) { return gain * v; });
  const auto stable = anscombe(counts);
  const auto filtered = [&] {
    switch (method) {
      case Denoiser::bm3d:
        return bm3d(stable);
      case Denoiser::non_local_means:
        return non_local_means(stable);
      case Denoiser::wavelet:
        break;
    }
    return wavelet_threshold(stable);
  }();
  auto out = inverse_anscombe(filtered);
  const double before = std::accumulate(image.begin(), image.end(), 0.0);
  const double after = std::accumulate(out.begin(), out.end(), 0.0);
  const double scale = after > 0 && before > 0 ? before / after : 1 / counts_per_unit;
  for (float& v : out) v = static_cast<float>(scale * v);
  return out;
}

}  // namespace aetos::imaging
