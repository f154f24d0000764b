#include <cmath>
#include <vector>

#include "aetos/tracing/peaks.hpp"

namespace aetos::tracing {
namespace {

constexpr double kCut = 4;  // sigmas

std::vector<double> kernel_of(double sigma) {
  const auto radius = static_cast<std::size_t>(std::ceil(kCut * sigma));
  std::vector<double> kernel(2 * radius + 1);
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const double d = (static_cast<double>(i) - static_cast<double>(radius)) / sigma;
    kernel[i] = std::exp(-d * d / 2);
  }
  return kernel;
}

/// One axis of the convolution: out[i] = sum k w_k in[i + k] / sum of the weights inside. Each step works on
/// runs of `stride` contiguous values, so that a value's sum has one order wherever its slab begins.
void convolve_axis(const float* in, float* out, std::size_t n, std::size_t stride,
                   const std::vector<double>& kernel) {
  const auto radius = static_cast<std::ptrdiff_t>(kernel.size() / 2);
  const auto count = static_cast<std::ptrdiff_t>(n);
  std::vector<double> sum(stride);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    std::fill(sum.begin(), sum.end(), 0.0);
    double weights = 0;
    for (std::ptrdiff_t k = -radius; k <= radius; ++k) {
      if (i + k < 0 || i + k >= count) continue;
      const double w = kernel[static_cast<std::size_t>(k + radius)];
      weights += w;
      const float* row = in + static_cast<std::size_t>(i + k) * stride;
      for (std::size_t j = 0; j < stride; ++j) sum[j] += w * static_cast<double>(row[j]);
    }
    float* target = out + static_cast<std::size_t>(i) * stride;
    for (std::size_t j = 0; j < stride; ++j) target[j] = static_cast<float>(sum[j] / weights);
  }
}

}  // namespace

Array<float, 3> smooth(const Slab& slab, double sigma) {
  const auto& [nz, ny, nx] = slab.values.shape();
  Array<float, 3> a(slab.values.shape()), b(slab.values.shape());
  if (a.empty()) return a;
  const auto kernel = kernel_of(sigma);
  for (std::size_t z = 0; z < nz; ++z) {
    for (std::size_t y = 0; y < ny; ++y)
      convolve_axis(slab.values.data() + (z * ny + y) * nx, a.data() + (z * ny + y) * nx, nx, 1, kernel);
    convolve_axis(a.data() + z * ny * nx, b.data() + z * ny * nx, ny, nx, kernel);
  }
  convolve_axis(b.data(), a.data(), nz, ny * nx, kernel);
  return a;
}

std::size_t halo_planes(const PeakOptions& options) {
  const double reach = std::max(options.fit_radius, options.integration) + options.fit_radius;
  return static_cast<std::size_t>(std::ceil(kCut * options.smoothing) + std::ceil(reach)) + 8;
}

}  // namespace aetos::tracing
