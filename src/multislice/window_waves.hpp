#pragma once

#include <complex>
#include <cstddef>
#include <map>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/multislice/grid.hpp"

/// The step of a wave through one slice, arranged for the cache: rows go back to real space, are multiplied
/// and go forward again while they are in L1, and blocks of columns likewise around the propagator. Columns
/// beyond the band limit are never transformed.
namespace aetos::multislice {

class WindowWaves {
 public:
  using Complex = std::complex<float>;

  WindowWaves(const FftGrid& window, double voltage_kV, double slice_thickness_A);

  const FftGrid& grid() const { return grid_; }
  /// A wave between steps: ny rows of `stride` values, real space along y and reciprocal along x. Only
  /// columns within the band are meaningful; the others are zero.
  std::size_t stride() const { return stride_; }
  std::size_t wave_size() const { return grid_.ny * stride_; }

  /// Puts the probe at (x, y) Å from the window's pixel (0, 0) and lets it travel `slices` slices of vacuum.
  /// `spectrum` is the probe at pixel (0, 0), shape (ny, nx).
  void start(View<const Complex, 2> spectrum, double x_A, double y_A, std::size_t slices, Complex* wave);

  /// Multiplies with the transmission function (rows `transmission_stride` apart) and propagates by `slices`
  /// slices.
  void step(Complex* wave, const Complex* transmission, std::size_t transmission_stride, std::size_t slices);

  /// A last step that ends in the diffraction plane: fills `intensity` (ny, nx; FFT order) within the band.
  void finish(Complex* wave, const Complex* transmission, std::size_t transmission_stride, std::size_t slices,
              View<float, 2> intensity);

 private:
  static constexpr std::size_t kBlock = 8;  ///< columns transformed together: one cache line

  const Complex* propagator(std::size_t slices);
  void transmit_rows(Complex* wave, const Complex* transmission, std::size_t transmission_stride) const;

  FftGrid grid_;
  double wavelength_A_, thickness_A_;
  std::size_t stride_ = 0;
  std::vector<std::size_t> blocks_;          ///< first column of each block within the band
  std::size_t gap_begin_ = 0, gap_end_ = 0;  ///< columns that no block covers
  /// By number of slices: (block, ny, kBlock), with the band limit and the transforms' normalisation.
  std::map<std::size_t, Array<Complex, 3>> propagators_;
  fft::PlanF row_back_, row_forward_, column_back_, column_forward_;
};

}  // namespace aetos::multislice
