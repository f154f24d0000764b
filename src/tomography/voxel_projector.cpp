#include "voxel_projector.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "aetos/core/error.hpp"
#include "row_blocks.hpp"

namespace aetos::tomography {
namespace {

constexpr std::size_t kTapsU = 3, kTapsV = 2;

typedef std::int32_t Integers __attribute__((vector_size(kVectorFloats * sizeof(std::int32_t))));

Vector counted(float first, float step) {
  Vector values;
  for (std::size_t i = 0; i < kVectorFloats; ++i) values[i] = first + step * static_cast<float>(i);
  return values;
}
Vector clamped(Vector value, float low, float high) {
  const Vector least = Vector{} + low, most = Vector{} + high;
  value = value < least ? least : value;
  return value > most ? most : value;
}
/// Rounded down where it is not negative.
Vector whole(Vector value) {
  return __builtin_convertvector(__builtin_convertvector(value, Integers), Vector);
}
Vector hats(Vector distance) {
  const Vector away = distance < 0 ? -distance : distance;
  return away < 1 ? 1 - away : Vector{};
}
Vector load(const float* from) {
  Vector group;
  std::memcpy(&group, from, sizeof group);
  return group;
}
void store(float* to, Vector group) {
  std::memcpy(to, &group, sizeof group);
}

/// One projection as a voxel sees it: u = u_of . r + centre, v and the depth likewise.
struct Sight {
  Sight(const Geometry& geometry, const Mat3& turned, std::size_t padded_v)
      : rotation(turned),
        sizes(geometry.volume_px),
        centre_u(static_cast<float>(centre_index(geometry.nu))),
        centre_v(static_cast<float>(centre_index(geometry.nv))),
        last_u(static_cast<float>(geometry.nu - kTapsU)),
        last_v(static_cast<float>(geometry.nv - kTapsV)),
        du(static_cast<float>(turned(1, 0))),
        dv(static_cast<float>(turned(1, 1))),
        dw(static_cast<float>(turned(1, 2))),
        near(static_cast<float>((turned(0, 0) - turned(2, 0)) / 4)),
        far(static_cast<float>((turned(0, 0) + turned(2, 0)) / 4)),
        stride(padded_v) {}
  Vec3 start_of_row(std::size_t z, std::size_t x) const {
    return to_beam_frame(rotation, {centred(x, sizes[2]), centred(0, sizes[1]), centred(z, sizes[0])});
  }
  const Mat3& rotation;
  std::array<std::size_t, 3> sizes;
  float centre_u, centre_v, last_u, last_v, du, dv, dw, near, far;
  std::size_t stride;
};

/// The pixels among which a group of voxels along y shares itself.
class Shares {
 public:
  Shares(const Sight& sight, const Vec3& start, std::size_t y) : stride_(sight.stride) {
    const auto from = static_cast<float>(y);
    const Vector u = counted(static_cast<float>(start.x()) + sight.centre_u + sight.du * from, sight.du);
    const Vector v = counted(static_cast<float>(start.y()) + sight.centre_v + sight.dv * from, sight.dv);
    const Vector low_u = whole(clamped(u - 0.5F, 0, sight.last_u));
    const Vector low_v = whole(clamped(v, 0, sight.last_v));
    for (std::size_t j = 0; j < kTapsU; ++j) {
      const Vector d = u - low_u - static_cast<float>(j);
      u_[j] = (hats(d - sight.near) + hats(d + sight.near) + hats(d - sight.far) + hats(d + sight.far)) / 4;
    }
    v_[0] = hats(v - low_v);
    v_[1] = hats(v - low_v - 1);
    pixel_ = __builtin_convertvector(low_u, Integers) * static_cast<std::int32_t>(stride_) +
             __builtin_convertvector(low_v, Integers);
    for (std::size_t i = 0; i < kVectorFloats; ++i)
      in_step_ = in_step_ && pixel_[i] == pixel_[0] + static_cast<std::int32_t>(i);
  }

  void add(Vector voxels, float* image) const {
    if (in_step_) {
      float* pixel = image + pixel_[0];
      for (std::size_t j = 0; j < kTapsU; ++j, pixel += stride_) {
        const Vector share = voxels * u_[j];
        store(pixel, load(pixel) + share * v_[0]);
        store(pixel + 1, load(pixel + 1) + share * v_[1]);
      }
      return;
    }
    for (std::size_t i = 0; i < kVectorFloats; ++i) {
      float* pixel = image + pixel_[i];
      for (std::size_t j = 0; j < kTapsU; ++j, pixel += stride_) {
        const float share = voxels[i] * u_[j][i];
        pixel[0] += share * v_[0][i];
        pixel[1] += share * v_[1][i];
      }
    }
  }

  Vector collect(const float* image) const {
    Vector sum{};
    if (in_step_) {
      const float* pixel = image + pixel_[0];
      for (std::size_t j = 0; j < kTapsU; ++j, pixel += stride_)
        sum += u_[j] * (v_[0] * load(pixel) + v_[1] * load(pixel + 1));
      return sum;
    }
    for (std::size_t i = 0; i < kVectorFloats; ++i) {
      const float* pixel = image + pixel_[i];
      for (std::size_t j = 0; j < kTapsU; ++j, pixel += stride_)
        sum[i] += u_[j][i] * (v_[0][i] * pixel[0] + v_[1][i] * pixel[1]);
    }
    return sum;
  }

 private:
  std::size_t stride_;
  std::array<Vector, kTapsU> u_;
  std::array<Vector, kTapsV> v_;
  Integers pixel_;
  bool in_step_ = true;
};

bool is_zero(Vector group) {
  float sum = 0;
  for (std::size_t i = 0; i < kVectorFloats; ++i) sum += std::abs(group[i]);
  return sum == 0;
}

/// Calls use(shares, voxels, their depth) for each group of voxels that is not zero.
template <class Use>
void for_each_group(const Sight& sight, View<const float, 3> volume, const Use& use) {
  for (std::size_t z = 0; z < volume.extent(0); ++z)
    for (std::size_t x = 0; x < volume.extent(1); ++x) {
      const Vec3 start = sight.start_of_row(z, x);
      for (std::size_t y = 0; y < volume.extent(2); y += kVectorFloats) {
        const Vector voxels = load(&volume(z, x, y));
        if (is_zero(voxels)) continue;
        const float depth = static_cast<float>(start.z()) + sight.dw * static_cast<float>(y);
        use(Shares(sight, start, y), voxels, counted(depth, sight.dw));
      }
    }
}

}  // namespace

VoxelProjector::VoxelProjector(const Geometry& geometry) : geometry_(geometry) {
  if (geometry.nv < kTapsV)
    throw InputError("images", std::to_string(geometry.nv) + " row", "at least 2 for angles phi or psi");
  for (const EulerAngles& angles : geometry.angles) rotations_.push_back(rotation_matrix(angles));
}

void VoxelProjector::forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) {
  std::fill(images.begin(), images.end(), 0.0F);
  for (std::size_t p = 0; p < images.extent(0); ++p)
    for_each_group(
        Sight(geometry_, rotations_[first + p], images.extent(2)), volume,
        [&](const Shares& shares, Vector voxels, Vector) { shares.add(voxels, images[p].data()); });
}

void VoxelProjector::forward_with_depth(View<const float, 3> volume, std::size_t projection,
                                        View<float, 2> image, View<float, 2> depth) const {
  std::fill(image.begin(), image.end(), 0.0F);
  std::fill(depth.begin(), depth.end(), 0.0F);
  for_each_group(Sight(geometry_, rotations_[projection], image.extent(1)), volume,
                 [&](const Shares& shares, Vector voxels, Vector depths) {
                   shares.add(voxels, image.data());
                   shares.add(voxels * depths, depth.data());
                 });
}

void VoxelProjector::back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) {
  const std::size_t ny = geometry_.volume_px[1];
  std::fill(planes.begin(), planes.end(), 0.0F);
  for (std::size_t p = 0; p < images.extent(0); ++p) {
    const Sight sight(geometry_, rotations_[p], images.extent(2));
    for (std::size_t z = 0; z < planes.extent(0); ++z)
      for (std::size_t x = 0; x < planes.extent(1); ++x) {
        const Vec3 start = sight.start_of_row(first_plane + z, x);
        for (std::size_t y = 0; y < ny; y += kVectorFloats) {
          float* voxels = &planes(z, x, y);
          store(voxels, load(voxels) + Shares(sight, start, y).collect(images[p].data()));
        }
      }
  }
  // The rows' padding is no part of the volume.
  for (std::size_t row = 0; row < planes.extent(0) * planes.extent(1); ++row)
    std::fill(planes.data() + row * planes.extent(2) + ny, planes.data() + (row + 1) * planes.extent(2),
              0.0F);
}

}  // namespace aetos::tomography
