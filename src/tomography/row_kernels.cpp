#include "row_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "aetos/tomography/spectral_grid.hpp"
#include "row_blocks.hpp"

namespace aetos::tomography {
namespace {

/// Projections taken at a time: what they show of a tile stays in the first cache.
constexpr std::size_t kProjections = 4;

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
    std::size_t at = 0;
    for (std::size_t z = z0; z < z1; ++z)
      for (std::size_t x = x0; x < x1; ++x, at += count_) {
        if (footprint_ == Footprint::bilinear)
          fill_bilinear(centred(z, lines_.nz), centred(x, lines_.nx), at);
        else
          fill_sub_sampled(centred(z, lines_.nz), centred(x, lines_.nx), at);
      }
  }
  Taps of(std::size_t voxel, std::size_t projection) const {
    const std::size_t at = voxel * count_ + projection;
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
      const float inside = ((u >= -kEdge) & (u <= last + kEdge)) ? 1.0F : 0.0F;
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
      w0[p] = sub_sampled_share(f, near, far);
      w1[p] = sub_sampled_share(f - 1, near, far);
      w2[p] = sub_sampled_share(f - 2, near, far);
    }
  }

  const Lines& lines_;
  Footprint footprint_;
  std::size_t first_, count_;
  Array<std::int32_t, 1> pixel_;
  Array<float, 2> weight_;
};

/// Adds to one voxel's row, B vectors of it, what its pixels hold in some projections.
template <std::size_t B, std::size_t N>
void gather_voxel(float* voxel, const Taps& taps, std::size_t projections, const float* images,
                  std::size_t rows, std::size_t image_size) {
  Vector sum[B];
  for (std::size_t k = 0; k < B; ++k) sum[k] = reinterpret_cast<const Vector*>(voxel)[k];
  for (std::size_t p = 0; p < projections; ++p) {
    const float* pixel = images + p * image_size + static_cast<std::size_t>(taps.first[p]) * rows;
    for (std::size_t j = 0; j < N; ++j, pixel += rows) {
      const float w = taps.weight[j][p];
      for (std::size_t k = 0; k < B; ++k) sum[k] += w * reinterpret_cast<const Vector*>(pixel)[k];
    }
  }
  for (std::size_t k = 0; k < B; ++k) reinterpret_cast<Vector*>(voxel)[k] = sum[k];
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

void gather(const Lines& lines, Footprint footprint, View<const float, 3> images, std::size_t first_plane,
            View<float, 3> planes) {
  const std::size_t count = images.extent(0), rows = images.extent(2), image_size = lines.nu * rows;
  const std::size_t end_plane = first_plane + planes.extent(0);
  std::fill(planes.begin(), planes.end(), 0.0F);
  TileTaps taps(lines, footprint, 0, count);
  for (std::size_t zt = first_plane; zt < end_plane; zt += kTile)
    for (std::size_t xt = 0; xt < lines.nx; xt += kTile) {
      const std::size_t ze = std::min(zt + kTile, end_plane), xe = std::min(xt + kTile, lines.nx);
      taps.fill(zt, ze, xt, xe);
      for_each_piece(rows, [&](std::size_t offset, auto vectors) {
        for (std::size_t p = 0; p < count; p += kProjections) {
          const std::size_t some = std::min(kProjections, count - p);
          const float* source = images.data() + p * image_size + offset;
          std::size_t at = 0;
          for (std::size_t z = zt; z < ze; ++z)
            for (std::size_t x = xt; x < xe; ++x) {
              float* voxel = planes.data() + ((z - first_plane) * lines.nx + x) * rows + offset;
              const Taps of_voxel = taps.of(at++, p);
              if (footprint == Footprint::bilinear)
                gather_voxel<vectors, 2>(voxel, of_voxel, some, source, rows, image_size);
              else
                gather_voxel<vectors, 3>(voxel, of_voxel, some, source, rows, image_size);
            }
        }
      });
    }
}

}  // namespace aetos::tomography
