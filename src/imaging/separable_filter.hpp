#pragma once

#include <fftw3.h>

#include <complex>

#include "aetos/core/array.hpp"
#include "aetos/core/fft.hpp"

namespace aetos::imaging {

/// Multiplies the spectrum of a real image by along_y(ky) along_x(kx), in place; along_x has the bins 0 to nx
/// / 2.
template <class Factor>
void filter_separably(Array<double, 2>& image, const Array<Factor, 1>& along_y,
                      const Array<Factor, 1>& along_x) {
  const std::size_t ny = image.extent(0), nx = image.extent(1), half = nx / 2 + 1;
  Array<std::complex<double>, 2> spectrum({ny, half});
  auto* bins = reinterpret_cast<fftw_complex*>(spectrum.data());
  const auto rows = static_cast<int>(ny), columns = static_cast<int>(nx);
  const fft::PlanD forward(fftw_plan_dft_r2c_2d(rows, columns, image.data(), bins, FFTW_ESTIMATE));
  const fft::PlanD backward(fftw_plan_dft_c2r_2d(rows, columns, bins, image.data(), FFTW_ESTIMATE));
  fftw_execute(forward.get());
  const double scale = 1 / static_cast<double>(ny * nx);
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < half; ++x) spectrum(y, x) *= along_y(y) * along_x(x) * scale;
  fftw_execute(backward.get());
}

}  // namespace aetos::imaging
