#pragma once

#include "aetos/core/array.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/tomography/projector.hpp"

namespace aetos::tomography {

/// Approximate inverse of P'P for a plain tilt series with the real-space projector: the ramp filter |k| of
/// filtered back projection, as this geometry has it. P'P is nearly a convolution; its transfer function is
/// that of the response to a point at the centre. Its inverse, regularised where the tilts see little (the
/// missing wedge, high frequencies), acts on (z, x) planes of each row alone.
class NormalFilter {
 public:
  /// `regularisation` is a share of the largest value of the transfer function.
  NormalFilter(const Geometry& geometry, double regularisation);

  /// out <- scale * inverse(in). Both hold (z, x, row) with `rows` rows, not padded.
  void apply(const double* in, double* out, std::size_t rows, double scale);

 private:
  std::size_t nz_, nx_, half_x_;
  Array<float, 2> inverse_;  ///< (kz, half kx), with the transforms' normalisation
  Array<float, 3> planes_;   ///< (z, x, kRowBlock)
  Array<float, 4> spectra_;  ///< (kz, half kx, kRowBlock, complex)
  fft::PlanF forward_, back_;
};

}  // namespace aetos::tomography
