#include "aetos/imaging/integrate.hpp"

#include <algorithm>
#include <cmath>
#include <complex>

#include "aetos/core/fft.hpp"
#include "aetos/core/units.hpp"

namespace aetos::imaging {
namespace {

using Spectrum = Array<std::complex<double>, 2>;

void transform(Spectrum& s, int sign) {
  auto* p = reinterpret_cast<fftw_complex*>(s.data());
  const fft::PlanD plan(fftw_plan_dft_2d(static_cast<int>(s.extent(0)), static_cast<int>(s.extent(1)), p, p,
                                         sign, FFTW_ESTIMATE));
  fftw_execute(plan.get());
}

/// One component, continued by its mirror image along axes that do not repeat: with the opposite sign along
/// its own axis.
Spectrum continued(View<const double, 2> g, const Shape<2>& size, bool along_x) {
  Spectrum s(size);
  const std::size_t ny = g.extent(0), nx = g.extent(1);
  for (std::size_t y = 0; y < size[0]; ++y)
    for (std::size_t x = 0; x < size[1]; ++x) {
      const bool beyond_y = y >= ny, beyond_x = x >= nx;
      const double value = g(beyond_y ? 2 * ny - 1 - y : y, beyond_x ? 2 * nx - 1 - x : x);
      s(y, x) = (along_x ? beyond_x : beyond_y) ? -value : value;
    }
  return s;
}

}  // namespace

Array<double, 2> integrate_gradient(View<const double, 2> gradient_x, View<const double, 2> gradient_y,
                                    double step_A, const std::array<bool, 2>& repeats) {
  const std::size_t ny = gradient_x.extent(0), nx = gradient_x.extent(1);
  const Shape<2> size{repeats[0] ? ny : 2 * ny, repeats[1] ? nx : 2 * nx};
  Spectrum x = continued(gradient_x, size, true), y = continued(gradient_y, size, false);
  transform(x, FFTW_FORWARD);
  transform(y, FFTW_FORWARD);
  const auto frequency = [step_A](std::size_t i, std::size_t n) {
    return static_cast<double>(fft::frequency(i, n)) / (static_cast<double>(n) * step_A);
  };
  for (std::size_t j = 0; j < size[0]; ++j)
    for (std::size_t i = 0; i < size[1]; ++i) {
      const double kx = frequency(i, size[1]), ky = frequency(j, size[0]), k2 = kx * kx + ky * ky;
      const std::complex<double> down(0, 2 * kPi * k2 * static_cast<double>(size[0] * size[1]));
      x(j, i) = k2 > 0 ? (kx * x(j, i) + ky * y(j, i)) / down : 0;
    }
  transform(x, FFTW_BACKWARD);
  Array<double, 2> image({ny, nx});
  for (std::size_t j = 0; j < ny; ++j)
    for (std::size_t i = 0; i < nx; ++i) image(j, i) = x(j, i).real();
  const double lowest = image.empty() ? 0 : *std::min_element(image.begin(), image.end());
  for (double& v : image) v -= lowest;
  return image;
}

}  // namespace aetos::imaging
