#include "row_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "spectral_grid.hpp"

namespace aetos::tomography {
namespace {

constexpr std::size_t kTile = 8;        ///< voxels of a tile along z and along x
constexpr std::size_t kWideBlocks = 4;  ///< row blocks held in registers at once

/// One row block. The compiler turns this into the widest registers that the processor has.
typedef float Block __attribute__((vector_size(kRowBlock * sizeof(float))));

double hat(double distance) {
  return std::max(0.0, 1 - std::abs(distance));
}

/// The taps of one tile of voxels for all projections, (voxel of the tile, projection).
class TileTaps {
 public:
  TileTaps(const Lines& lines, Footprint footprint, std::size_t first, std::size_t count)
      : lines_(lines), footprint_(footprint), first_(first), count_(count), taps_(kTile * kTile * count) {}

  void fill(std::size_t z0, std::size_t z1, std::size_t x0, std::size_t x1) {
    Taps* out = taps_.data();
    for (std::size_t z = z0; z < z1; ++z)
      for (std::size_t x = x0; x < x1; ++x)
        for (std::size_t p = 0; p < count_; ++p) *out++ = make_taps(lines_, footprint_, first_ + p, z, x);
  }
  const Taps* of(std::size_t voxel) const { return taps_.data() + voxel * count_; }

 private:
  const Lines& lines_;
  Footprint footprint_;
  std::size_t first_, count_;
  std::vector<Taps> taps_;
};

/// Adds one voxel's row, B blocks of it, to its pixels in every projection.
template <std::size_t B, std::size_t N>
void splat_voxel(const float* voxel, const Taps* taps, std::size_t projections, float* images,
                 std::size_t rows, std::size_t image_size) {
  Block value[B];
  for (std::size_t k = 0; k < B; ++k) value[k] = reinterpret_cast<const Block*>(voxel)[k];
  for (std::size_t p = 0; p < projections; ++p) {
    float* pixel = images + p * image_size + taps[p].first * rows;
    for (std::size_t j = 0; j < N; ++j, pixel += rows) {
      const float w = taps[p].weight[j];
      for (std::size_t k = 0; k < B; ++k) reinterpret_cast<Block*>(pixel)[k] += w * value[k];
    }
  }
}

/// Collects one voxel's row, B blocks of it, from its pixels in every projection.
template <std::size_t B, std::size_t N>
void gather_voxel(float* voxel, const Taps* taps, std::size_t projections, const float* images,
                  std::size_t rows, std::size_t image_size) {
  Block sum[B] = {};
  for (std::size_t p = 0; p < projections; ++p) {
    const float* pixel = images + p * image_size + taps[p].first * rows;
    for (std::size_t j = 0; j < N; ++j, pixel += rows) {
      const float w = taps[p].weight[j];
      for (std::size_t k = 0; k < B; ++k) sum[k] += w * reinterpret_cast<const Block*>(pixel)[k];
    }
  }
  for (std::size_t k = 0; k < B; ++k) reinterpret_cast<Block*>(voxel)[k] = sum[k];
}

/// Walks the tiles of the planes z0..z1; `work` is called with a voxel's place, its taps and a row offset, as
/// work(z, x, taps, offset, std::integral_constant<blocks>).
template <class Work>
void for_each_voxel(const Lines& lines, TileTaps& taps, std::size_t z0, std::size_t z1, std::size_t rows,
                    const Work& work) {
  constexpr std::size_t wide = kWideBlocks * kRowBlock;
  for (std::size_t zt = z0; zt < z1; zt += kTile)
    for (std::size_t xt = 0; xt < lines.nx; xt += kTile) {
      const std::size_t ze = std::min(zt + kTile, z1), xe = std::min(xt + kTile, lines.nx);
      taps.fill(zt, ze, xt, xe);
      const auto tile = [&](std::size_t offset, auto blocks) {
        std::size_t voxel = 0;
        for (std::size_t z = zt; z < ze; ++z)
          for (std::size_t x = xt; x < xe; ++x) work(z, x, taps.of(voxel++), offset, blocks);
      };
      std::size_t y = 0;
      for (; y + wide <= rows; y += wide) tile(y, std::integral_constant<std::size_t, kWideBlocks>{});
      for (; y < rows; y += kRowBlock) tile(y, std::integral_constant<std::size_t, 1>{});
    }
}

}  // namespace

double Lines::u(std::size_t projection, std::size_t z, std::size_t x) const {
  const double dx = static_cast<double>(x) - static_cast<double>(centre_index(nx));
  const double dz = static_cast<double>(z) - static_cast<double>(centre_index(nz));
  return along_x[projection] * dx + along_z[projection] * dz + static_cast<double>(centre_index(nu));
}

Lines make_lines(const Geometry& geometry) {
  Lines lines{geometry.volume_px[0], geometry.volume_px[2], geometry.nu, {}, {}};
  for (const EulerAngles& angles : geometry.angles) {
    const Mat3 rotation = rotation_matrix(angles);
    lines.along_x.push_back(rotation(0, 0));
    lines.along_z.push_back(rotation(2, 0));
  }
  return lines;
}

Taps make_taps(const Lines& lines, Footprint footprint, std::size_t projection, std::size_t z,
               std::size_t x) {
  const double u = lines.u(projection, z, x);
  const double last = static_cast<double>(lines.nu - 1);
  if (footprint == Footprint::bilinear) {
    if (u < -kEdge || u > last + kEdge) return {0, {}};
    const double first = std::clamp(std::floor(u), 0.0, last - 1);
    Taps taps{static_cast<std::uint32_t>(first), {}};
    for (std::size_t j = 0; j < 2; ++j)
      taps.weight[j] = static_cast<float>(hat(u - first - static_cast<double>(j)));
    return taps;
  }
  const double a = lines.along_x[projection] / 4, b = lines.along_z[projection] / 4;
  const std::array<double, 4> sample{u - a - b, u - a + b, u + a - b, u + a + b};
  const double first = std::clamp(std::floor(u + 0.5) - 1, 0.0, last - 2);
  Taps taps{static_cast<std::uint32_t>(first), {}};
  for (std::size_t j = 0; j < 3; ++j) {
    double weight = 0;
    for (double s : sample) weight += hat(s - first - static_cast<double>(j));
    taps.weight[j] = static_cast<float>(weight / 4);
  }
  return taps;
}

void splat(const Lines& lines, Footprint footprint, View<const float, 3> volume, std::size_t first,
           View<float, 3> images) {
  const std::size_t count = images.extent(0), rows = images.extent(2), image_size = lines.nu * rows;
  std::fill(images.begin(), images.end(), 0.0F);
  TileTaps taps(lines, footprint, first, count);
  const auto work = [&](std::size_t z, std::size_t x, const Taps* t, std::size_t offset, auto blocks) {
    const float* voxel = volume.data() + (z * lines.nx + x) * rows + offset;
    float* target = images.data() + offset;
    if (footprint == Footprint::bilinear)
      splat_voxel<blocks, 2>(voxel, t, count, target, rows, image_size);
    else
      splat_voxel<blocks, 3>(voxel, t, count, target, rows, image_size);
  };
  for_each_voxel(lines, taps, 0, lines.nz, rows, work);
}

void gather(const Lines& lines, Footprint footprint, View<const float, 3> images, std::size_t first_plane,
            View<float, 3> planes) {
  const std::size_t count = images.extent(0), rows = images.extent(2), image_size = lines.nu * rows;
  TileTaps taps(lines, footprint, 0, count);
  const auto work = [&](std::size_t z, std::size_t x, const Taps* t, std::size_t offset, auto blocks) {
    float* voxel = planes.data() + ((z - first_plane) * lines.nx + x) * rows + offset;
    const float* source = images.data() + offset;
    if (footprint == Footprint::bilinear)
      gather_voxel<blocks, 2>(voxel, t, count, source, rows, image_size);
    else
      gather_voxel<blocks, 3>(voxel, t, count, source, rows, image_size);
  };
  for_each_voxel(lines, taps, first_plane, first_plane + planes.extent(0), rows, work);
}

}  // namespace aetos::tomography
