#include "aetos/tomography/projector.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "aetos/core/error.hpp"
#include "fourier_rows.hpp"
#include "fourier_volume.hpp"
#include "row_kernels.hpp"
#include "voxel_projector.hpp"

namespace aetos::tomography {
namespace {

/// Splatting and bilinear interpolation with the same sub-samples: an adjoint pair (RESIRE's CUDA code for
/// films).
class RealSpaceRows final : public ProjectorPair {
 public:
  explicit RealSpaceRows(const Geometry& geometry) : lines_(make_lines(geometry)) {}
  void forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) override {
    project(lines_, volume, first, images);
  }
  void back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) override {
    gather(lines_, Footprint::sub_sampled, images, first_plane, planes);
  }

 private:
  Lines lines_;
};

}  // namespace

bool is_plain_tilt_series(std::span<const EulerAngles> angles) {
  return std::all_of(angles.begin(), angles.end(),
                     [](const EulerAngles& a) { return a.phi_deg == 0 && a.psi_deg == 0; });
}

std::size_t padded_size(double oversampling, std::size_t n) {
  return static_cast<std::size_t>(std::round(oversampling * static_cast<double>(n)));
}

std::unique_ptr<ProjectorPair> make_projector(const Geometry& geometry, Projector kind,
                                              const std::array<double, 3>& oversampling_zyx) {
  if (geometry.nu < 3) throw InputError("images", std::to_string(geometry.nu) + " columns", "at least 3");
  const bool plain = is_plain_tilt_series(geometry.angles);
  if (kind == Projector::real_space) {
    if (!plain) return std::make_unique<VoxelProjector>(geometry);
    return std::make_unique<RealSpaceRows>(geometry);
  }
  for (double oversampling : oversampling_zyx)
    if (!(oversampling >= 1))
      throw InputError("reconstruct.oversampling", std::to_string(oversampling), "1 or more");
  const bool adjoint = kind == Projector::fourier_adjoint;
  if (plain) return std::make_unique<FourierRows>(geometry, oversampling_zyx, adjoint);
  return std::make_unique<FourierVolume>(geometry, oversampling_zyx, adjoint);
}

}  // namespace aetos::tomography
