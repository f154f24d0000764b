#include "aetos/imaging/source_size.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/fft.hpp"
#include "aetos/core/units.hpp"
#include "separable_filter.hpp"

namespace aetos::imaging {
namespace {

/// Beyond this many standard deviations on either side the Gaussian is below 1e-14.
constexpr double kPadding_sigma = 8;

std::size_t padding(double sigma_A, double step_A) {
  return static_cast<std::size_t>(std::ceil(kPadding_sigma * sigma_A / step_A)) + 1;
}

/// The index of the image that point i of the padded axis takes its value from.
std::size_t nearest_inside(std::size_t i, std::size_t pad, std::size_t n) {
  return i < pad ? 0 : std::min(i - pad, n - 1);
}

/// exp(-2 pi² s² k²) along one axis of n points.
Array<double, 1> multiplier(std::size_t n, double sigma_A, double step_A) {
  Array<double, 1> m({n});
  for (std::size_t i = 0; i < n; ++i) {
    const double k = static_cast<double>(fft::frequency(i, n)) / (static_cast<double>(n) * step_A);
    m(i) = std::exp(-2 * kPi * kPi * sigma_A * sigma_A * k * k);
  }
  return m;
}

}  // namespace

Array<double, 2> blur_source_size(View<const double, 2> image, double fwhm_A, double step_y_A,
                                  double step_x_A) {
  const std::size_t ny = image.extent(0), nx = image.extent(1);
  Array<double, 2> blurred({ny, nx});
  if (!(fwhm_A > 0) || image.empty()) {
    std::copy(image.begin(), image.end(), blurred.begin());
    return blurred;
  }
  const double sigma = sigma_from_fwhm(fwhm_A);
  const std::size_t pad_y = padding(sigma, step_y_A), pad_x = padding(sigma, step_x_A);
  const std::size_t my = fft::fast_size(ny + 2 * pad_y), mx = fft::fast_size(nx + 2 * pad_x);

  Array<double, 2> padded({my, mx});
  for (std::size_t y = 0; y < my; ++y)
    for (std::size_t x = 0; x < mx; ++x)
      padded(y, x) = image(nearest_inside(y, pad_y, ny), nearest_inside(x, pad_x, nx));
  filter_separably(padded, multiplier(my, sigma, step_y_A), multiplier(mx, sigma, step_x_A));
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x) blurred(y, x) = padded(y + pad_y, x + pad_x);
  return blurred;
}

}  // namespace aetos::imaging
