#include "row_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "spectral_grid.hpp"

namespace aetos::tomography {
namespace {

constexpr std::size_t kTile = 8;        ///< voxels of a tile along z and along x
constexpr std::size_t kWideBlocks = 4;  ///< row blocks held in registers at once

/// One row block. The compiler turns this into the widest registers that the processor has.
typedef float Block __attribute__((vector_size(kRowBlock * sizeof(float))));

float hat(float distance) {
  return std::max(0.0F, 1 - std::abs(distance));
}

/// Which pixels a voxel shares itself among, for a run of projections: three neighbours from `first` on and
/// what each takes. Kept as separate arrays so that the compiler computes many projections at once.
struct Taps {
  const std::int32_t* first;
  std::array<const float*, 3> weight;
};

/// The taps of one tile of voxels for all projections, (voxel of the tile, projection).
class TileTaps {
 public:
  TileTaps(const Lines& lines, Footprint footprint, std::size_t first, std::size_t count)
      : lines_(lines),
        footprint_(footprint),
        first_(first),
        count_(count),
        pixel_({kTile * kTile * count}),
        weight_({3, kTile * kTile * count}) {}

  void fill(std::size_t z0, std::size_t z1, std::size_t x0, std::size_t x1) {
    const auto centred = [](std::size_t i, std::size_t n) {
      return static_cast<double>(i) - static_cast<double>(centre_index(n));
    };
    std::size_t at = 0;
    for (std::size_t z = z0; z < z1; ++z)
      for (std::size_t x = x0; x < x1; ++x, at += count_) {
        if (footprint_ == Footprint::bilinear)
          fill_bilinear(centred(z, lines_.nz), centred(x, lines_.nx), at);
        else
          fill_sub_sampled(centred(z, lines_.nz), centred(x, lines_.nx), at);
      }
  }
  Taps of(std::size_t voxel) const {
    const std::size_t at = voxel * count_;
    return {pixel_.data() + at, {weight_[0].data() + at, weight_[1].data() + at, weight_[2].data() + at}};
  }

 private:
  void fill_bilinear(double z, double x, std::size_t at) {
    const double centre = static_cast<double>(centre_index(lines_.nu)),
                 last = static_cast<double>(lines_.nu - 1);
    const double *a = lines_.along_x.data() + first_, *b = lines_.along_z.data() + first_;
    std::int32_t* pixel = pixel_.data() + at;
    float *w0 = weight_[0].data() + at, *w1 = weight_[1].data() + at;
    for (std::size_t p = 0; p < count_; ++p) {
      const double u = a[p] * x + b[p] * z + centre;
      const double low = std::min(std::max(std::floor(u), 0.0), last - 1);
      const float inside = (u >= -kEdge) & (u <= last + kEdge) ? 1.0F : 0.0F;
      const auto f = static_cast<float>(u - low);
      pixel[p] = static_cast<std::int32_t>(low);
      w0[p] = inside * hat(f);
      w1[p] = inside * hat(f - 1);
    }
  }

  void fill_sub_sampled(double z, double x, std::size_t at) {
    const double centre = static_cast<double>(centre_index(lines_.nu)),
                 last = static_cast<double>(lines_.nu - 1);
    const double *a = lines_.along_x.data() + first_, *b = lines_.along_z.data() + first_;
    std::int32_t* pixel = pixel_.data() + at;
    float *w0 = weight_[0].data() + at, *w1 = weight_[1].data() + at, *w2 = weight_[2].data() + at;
    for (std::size_t p = 0; p < count_; ++p) {
      const double u = a[p] * x + b[p] * z + centre;
      const double low = std::min(std::max(std::floor(u + 0.5) - 1, 0.0), last - 2);
      const auto f = static_cast<float>(u - low);
      const auto near = static_cast<float>((a[p] - b[p]) / 4), far = static_cast<float>((a[p] + b[p]) / 4);
      pixel[p] = static_cast<std::int32_t>(low);
      const auto share = [=](float d) {
        return (hat(d - near) + hat(d + near) + hat(d - far) + hat(d + far)) / 4;
      };
      w0[p] = share(f);
      w1[p] = share(f - 1);
      w2[p] = share(f - 2);
    }
  }

  const Lines& lines_;
  Footprint footprint_;
  std::size_t first_, count_;
  Array<std::int32_t, 1> pixel_;
  Array<float, 2> weight_;
};

/// Adds one voxel's row, B blocks of it, to its pixels in every projection.
template <std::size_t B, std::size_t N>
void splat_voxel(const float* voxel, const Taps& taps, std::size_t projections, float* images,
                 std::size_t rows, std::size_t image_size) {
  Block value[B];
  for (std::size_t k = 0; k < B; ++k) value[k] = reinterpret_cast<const Block*>(voxel)[k];
  for (std::size_t p = 0; p < projections; ++p) {
    float* pixel = images + p * image_size + static_cast<std::size_t>(taps.first[p]) * rows;
    for (std::size_t j = 0; j < N; ++j, pixel += rows) {
      const float w = taps.weight[j][p];
      for (std::size_t k = 0; k < B; ++k) reinterpret_cast<Block*>(pixel)[k] += w * value[k];
    }
  }
}

/// Collects one voxel's row, B blocks of it, from its pixels in every projection.
template <std::size_t B, std::size_t N>
void gather_voxel(float* voxel, const Taps& taps, std::size_t projections, const float* images,
                  std::size_t rows, std::size_t image_size) {
  Block sum[B] = {};
  for (std::size_t p = 0; p < projections; ++p) {
    const float* pixel = images + p * image_size + static_cast<std::size_t>(taps.first[p]) * rows;
    for (std::size_t j = 0; j < N; ++j, pixel += rows) {
      const float w = taps.weight[j][p];
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

Lines make_lines(const Geometry& geometry) {
  Lines lines{geometry.volume_px[0], geometry.volume_px[2], geometry.nu, {}, {}};
  for (const EulerAngles& angles : geometry.angles) {
    const Mat3 rotation = rotation_matrix(angles);
    lines.along_x.push_back(rotation(0, 0));
    lines.along_z.push_back(rotation(2, 0));
  }
  return lines;
}

void splat(const Lines& lines, Footprint footprint, View<const float, 3> volume, std::size_t first,
           View<float, 3> images) {
  const std::size_t count = images.extent(0), rows = images.extent(2), image_size = lines.nu * rows;
  std::fill(images.begin(), images.end(), 0.0F);
  TileTaps taps(lines, footprint, first, count);
  const auto work = [&](std::size_t z, std::size_t x, const Taps& t, std::size_t offset, auto blocks) {
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
  const auto work = [&](std::size_t z, std::size_t x, const Taps& t, std::size_t offset, auto blocks) {
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
