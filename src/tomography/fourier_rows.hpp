#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "aetos/core/fft.hpp"
#include "aetos/tomography/projector.hpp"
#include "aetos/tomography/spectral_grid.hpp"
#include "row_kernels.hpp"

namespace aetos::tomography {

/// RESIRE's Fourier projector for a plain tilt series. Padding in y cancels, so each row is an independent
/// problem in two dimensions: the spectrum of its padded (z, x) slice, read bilinearly along a line through
/// the origin, gives the spectrum of the projected row. Back: bilinear interpolation of the images, as
/// published, or the exact adjoint, each step of the way there transposed.
class FourierRows final : public ProjectorPair {
 public:
  FourierRows(const Geometry& geometry, const std::array<double, 3>& oversampling_zyx, bool exact_adjoint);
  void forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) override;
  void back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) override;
  bool all_planes_at_once() const override { return exact_adjoint_; }

 private:
  /// Where a sample of a line lies in the half spectrum (kx, kz), and the weights of its four neighbours.
  struct Sample {
    std::uint32_t low, high;    ///< of the column floor(kx): kz at floor and above
    std::uint32_t next_column;  ///< distance to the column above
    float low_x0, high_x0, low_x1, high_x1;
    float sign;  ///< -1 where the spectrum's conjugate is meant
  };

  Sample sample(double step_x, double step_z, std::size_t k) const;
  void project_row(const float* slice);
  void read_line(const Sample* samples);
  void add_line(const Sample* samples);
  void collect_row(std::size_t first_plane, std::size_t planes, float* slice);
  void back_exactly(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes);

  Lines lines_;
  bool exact_adjoint_;
  std::size_t padded_z_, padded_x_, half_x_;
  std::vector<Sample> samples_;  ///< (projection, k)
  Array<float, 2> slice_;        ///< wrapped and padded along x: (z, padded x)
  Array<Complex, 2> spectrum_;   ///< (half kx, kz)
  Array<Complex, 1> line_;       ///< half ku
  Array<float, 1> projected_;    ///< padded u
  Array<float, 2> block_;        ///< one row block of the volume, (row, voxel (z, x))
  fft::PlanF along_x_upper_, along_x_lower_, along_z_, inverse_;
  fft::PlanF line_transform_, back_along_z_,
      back_along_x_;  ///< of the adjoint; along x of one plane at a time
};

}  // namespace aetos::tomography
