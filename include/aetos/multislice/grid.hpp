#pragma once

#include <cstddef>

#include "aetos/core/fft.hpp"

/// A rectangular FFT grid and the band limit that transmission functions and waves keep to.
namespace aetos::multislice {

/// nx x ny pixels of dx x dy Å. Arrays on it are (y, x); reciprocal ones have their FFT order.
struct FftGrid {
  std::size_t nx = 0, ny = 0;
  double dx_A = 0.1, dy_A = 0.1;

  double kx(std::size_t i) const { return static_cast<double>(fft::frequency(i, nx)) * dkx(); }  ///< 1/Å
  double ky(std::size_t j) const { return static_cast<double>(fft::frequency(j, ny)) * dky(); }
  double dkx() const { return 1 / (static_cast<double>(nx) * dx_A); }
  double dky() const { return 1 / (static_cast<double>(ny) * dy_A); }
  std::size_t size() const { return nx * ny; }
};

/// Circular limit at 2/3 of the Nyquist frequency of the coarser axis with a cosine edge inside it, as abTEM
/// has it: 1 up to start, 0 beyond end (1/Å).
struct BandLimit {
  double start = 0, end = 0;

  static BandLimit of(double dx_A, double dy_A);
  double operator()(double k) const;
};

}  // namespace aetos::multislice
