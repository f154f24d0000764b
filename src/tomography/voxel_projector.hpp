#pragma once

#include <vector>

#include "aetos/tomography/projector.hpp"

namespace aetos::tomography {

/// The real-space projector for any Euler angles: each voxel splatted on its own. Along u it takes the
/// footprint of a plain series (the mean of four sub-samples at +-1/4 in x and z), along v a bilinear one, so
/// that with theta alone it is the plain series' projector. Forward and back are adjoint. Needs the whole
/// volume.
class VoxelProjector final : public ProjectorPair {
 public:
  explicit VoxelProjector(const Geometry& geometry);
  void forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) override;
  void back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) override;

  /// One projection, and beside it that of the volume times each voxel's depth along the beam, in pixels from
  /// the centre: (u, padded v) both.
  void forward_with_depth(View<const float, 3> volume, std::size_t projection, View<float, 2> image,
                          View<float, 2> depth) const;

 private:
  Geometry geometry_;
  std::vector<Mat3> rotations_;
};

}  // namespace aetos::tomography
