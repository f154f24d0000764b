#pragma once

#include <complex>
#include <cstddef>
#include <map>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/multislice/grid.hpp"
#include "lane_fft.hpp"

namespace aetos::multislice {

/// A transmission function seen from a window's pixel (0, 0): value (x, y) at [x * stride + y], so that
/// kLanes neighbouring rows load as one vector. `stride` leaves room to read kLanes - 1 values beyond the
/// window's last row.
struct TransmissionView {
  const float* re = nullptr;
  const float* im = nullptr;
  std::size_t stride = 0;
};

/// The step of a wave through one slice, arranged for the cache and for vectors of kLanes floats. A wave
/// between steps is in real space along y and in reciprocal space along x, and holds only the columns within
/// the band limit, in blocks of kLanes. A step takes kLanes rows at a time to real space, multiplies and
/// comes back while they are in L1, and then each block of columns likewise around the propagator.
class WindowWaves {
 public:
  WindowWaves(const FftGrid& window, double voltage_kV, double slice_thickness_A);

  std::size_t wave_size() const { return blocks_ * block_stride_; }
  std::size_t wave_bytes() const { return wave_size() * sizeof(ComplexLane); }

  /// Adds a probe at pixel (0, 0), shape (ny, nx), FFT order.
  void add_probe(View<const std::complex<double>, 2> spectrum);
  void clear_probes() { probes_.clear(); }

  /// Puts a probe, by the order in which they were added, at (x, y) Å from the window's pixel (0, 0) and lets
  /// it travel `slices` slices of vacuum.
  void start(std::size_t probe, double x_A, double y_A, std::size_t slices, ComplexLane* wave);

  /// Multiplies with the transmission function and propagates by `slices` slices.
  void step(ComplexLane* wave, const TransmissionView& transmission, std::size_t slices);

  /// A last step that ends in the diffraction plane: fills `intensity` (ny, nx; FFT order) within the band.
  void finish(ComplexLane* wave, const TransmissionView& transmission, std::size_t slices,
              View<float, 2> intensity);

 private:
  void calibrate();
  const ComplexLane* propagator(std::size_t slices);
  void transmit_rows(ComplexLane* wave, const TransmissionView& transmission);
  void rows_to_scratch(const ComplexLane* wave, std::size_t first_row);
  void scratch_to_rows(ComplexLane* wave, std::size_t first_row) const;
  /// Columns of the wave in block b.
  std::size_t width(std::size_t b) const { return std::min(kLanes, columns_.size() - b * kLanes); }

  FftGrid grid_;
  double wavelength_A_, thickness_A_;
  LaneFft rows_, columns_fft_;
  std::vector<std::size_t> columns_;           ///< FFT index along x of each column within the band
  std::size_t blocks_, block_stride_;          ///< blocks of kLanes columns; elements between them
  std::vector<std::size_t> gap_;               ///< FFT indices along x beyond the band
  double norm_;                                ///< what both axes' transforms there and back multiply with
  Array<ComplexLane, 1> scratch_;              ///< kLanes rows, element by element
  std::vector<Array<ComplexLane, 2>> probes_;  ///< each (block, ny in scrambled order)
  std::map<std::size_t, Array<ComplexLane, 2>>
      propagators_;  ///< by slices, as a probe; normalised and band-limited
};

}  // namespace aetos::multislice
