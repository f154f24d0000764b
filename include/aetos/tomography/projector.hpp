#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/tomography/options.hpp"

/// Projections of a volume and back. In memory a volume is (z, x, y) and a set of projections (projection, u,
/// v), so that the direction of the tilt axis, which a plain series never mixes, runs fastest: each
/// coefficient of the geometry then serves a whole row. The centre of every axis is index n / 2 (spec: r
/// falls on (u, v) of R^T r).
namespace aetos::tomography {

/// Rows along y are padded with zeros to a multiple of this many floats (64 bytes), so that every row is
/// aligned and every loop over y has one shape: a row's bits then do not depend on its neighbours or on the
/// slab it lies in.
inline constexpr std::size_t kRowBlock = 16;
constexpr std::size_t padded_rows(std::size_t rows) {
  return (rows + kRowBlock - 1) / kRowBlock * kRowBlock;
}

/// Sizes and angles of a reconstruction. Pixels and voxels have one size.
struct Geometry {
  std::array<std::size_t, 3> volume_px{};  ///< z, y, x
  std::size_t nv = 0, nu = 0;              ///< detector rows and columns
  std::vector<EulerAngles> angles;         ///< one per projection
};

/// True if every projection turns about y alone: then each row is a problem of its own.
bool is_plain_tilt_series(std::span<const EulerAngles> angles);

/// A forward projector with its back projector. Forward and back need not be exact adjoints (`fourier` is
/// not; `fourier_adjoint` is).
class ProjectorPair {
 public:
  virtual ~ProjectorPair() = default;

  /// images (some projections, u, padded v) <- projections `first`, `first` + 1, ... of volume (z, x, padded
  /// y).
  virtual void forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) = 0;

  /// planes (some z, x, padded y) <- planes `first_plane`, ... of the sum over all projections of what the
  /// images (projection, u, padded v) give to each voxel.
  virtual void back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) = 0;

  /// Whether some planes take as long as all.
  virtual bool all_planes_at_once() const { return false; }
};

/// The projector for a geometry. For a plain tilt series the arrays may hold any slab of rows (the same rows
/// of the volume and of the images; their padded number is the arrays' last extent), and Geometry's y and v
/// are not used; otherwise they hold the whole volume.
std::unique_ptr<ProjectorPair> make_projector(const Geometry& geometry, Projector kind,
                                              const std::array<double, 3>& oversampling_zyx);

/// Padded size of the Fourier projector on one axis: round(oversampling * n), halves away from zero as MATLAB
/// does.
std::size_t padded_size(double oversampling, std::size_t n);

}  // namespace aetos::tomography
