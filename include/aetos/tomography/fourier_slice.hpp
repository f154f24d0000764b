#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/tomography/projector.hpp"

/// What the serial and the distributed form of RESIRE's Fourier projector for any Euler angles share.
namespace aetos::tomography {

/// The padded grids, and where a projection's frequencies fall on the volume's.
class SliceGrid {
 public:
  SliceGrid(const Geometry& geometry, const std::array<double, 3>& oversampling_zyx);
  std::size_t nz, nx, ny;  ///< padded sizes; images are padded to (nx, ny)

  /// Frequencies of the volume, (x, y, z) in bins, whose interpolated values make up a value of the
  /// projection's transform: weight times their sum. `conjugate` asks for the conjugate of a value.
  struct Terms {
    std::size_t count = 0;
    std::array<Vec3, 2> at{};
    std::array<bool, 2> conjugate{};
    float weight = 1;
  };
  /// Of the projection's signed frequency (ku, kv). Real images need the mean of a value and its partner's
  /// conjugate; inside the grid both are equal and one is read. Points outside the grid give nothing.
  Terms terms(const Mat3& rotation, std::ptrdiff_t ku, std::ptrdiff_t kv) const;

 private:
  Vec3 bin(const Mat3& rotation, std::ptrdiff_t ku, std::ptrdiff_t kv) const;
  bool holds(const Vec3& k) const;
  bool well_inside(const Vec3& k) const;
};

/// planes (some z, x, padded y) <- what images (projection, u, padded v) give to `rows` rows from `first_row`
/// on of the planes from `first_plane` on: each voxel reads every image bilinearly at its (u, v), nothing
/// outside.
void read_images(const Geometry& geometry, std::span<const Mat3> rotations, View<const float, 3> images,
                 std::size_t first_plane, std::size_t first_row, std::size_t rows, View<float, 3> planes);

/// How often a transform from a half spectrum to n real numbers counts frequency k of it: with its conjugate,
/// but for the first and, of an even n, the last.
constexpr float times_counted(std::size_t k, std::size_t n) {
  return k == 0 || 2 * k == n ? 1 : 2;
}

/// An image (u, padded v) of `nv` rows in the middle of zeros, about index 0 and scaled: what crop_image
/// transposed does.
void pad_image(View<const float, 2> image, std::size_t nv, float scale, View<float, 2> padded);

/// A padded image about index 0, (nx, ny), cropped to an image (u, padded v) of `nv` rows and scaled.
void crop_image(View<const float, 2> padded, std::size_t nv, float scale, View<float, 2> image);

}  // namespace aetos::tomography
