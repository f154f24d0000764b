#pragma once

#include <vector>

#include "aetos/core/fft.hpp"
#include "aetos/tomography/fourier_slice.hpp"
#include "aetos/tomography/projector.hpp"
#include "aetos/tomography/spectral_grid.hpp"

namespace aetos::tomography {

/// RESIRE's Fourier projector for any Euler angles: the spectrum of the padded volume, read trilinearly on
/// the plane through the origin that R's first two columns span; inverse transform, real part, crop. Back:
/// each voxel reads the images bilinearly at its (u, v), as published; or the exact adjoint. Needs the whole
/// volume.
class FourierVolume final : public ProjectorPair {
 public:
  FourierVolume(const Geometry& geometry, const std::array<double, 3>& oversampling_zyx, bool exact_adjoint);
  void forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) override;
  void back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) override;
  bool all_planes_at_once() const override { return exact_adjoint_; }

 private:
  void transform(View<const float, 3> volume);
  void read_plane(const Mat3& rotation);
  template <class Use>
  void about(const Vec3& k, const Use& use) const;
  Complex read(Vec3 k) const;
  void add_plane(const Mat3& rotation);
  void add(Vec3 k, Complex value);
  void collect(std::size_t first_plane, View<float, 3> planes);

  Geometry geometry_;
  bool exact_adjoint_;
  SliceGrid grid_;
  std::vector<Mat3> rotations_;
  std::size_t nz_, nx_, ny_, half_y_;  ///< padded sizes
  Array<Complex, 3> spectrum_;         ///< (kx, kz, half ky)
  Array<float, 2> rows_;               ///< one plane of the volume, (x, padded y)
  Array<Complex, 2> transformed_;      ///< the same along y, (x, half ky)
  Array<Complex, 2> slice_;            ///< the same, padded along x: (kx, half ky)
  Array<Complex, 2> plane_;            ///< (ku, half kv)
  Array<float, 2> image_;              ///< padded (u, v)
  fft::PlanF along_y_, along_x_, along_z_, inverse_;
  fft::PlanF image_transform_, back_along_y_, back_along_x_, back_along_z_;  ///< of the adjoint
};

}  // namespace aetos::tomography
