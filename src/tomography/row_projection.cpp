#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "row_blocks.hpp"
#include "row_kernels.hpp"

/// Forward projection of a plain tilt series, gathered: a pixel's row collects what the voxels of a tile give
/// to it. Walking the tile along one axis (the one nearer to the beam), a pixel sees at most four neighbours
/// along the other.
namespace aetos::tomography {
namespace {

constexpr std::size_t kMostTaps = 4;

/// What one pixel sees of one tile: for each step along the tile, neighbours from `start` on.
struct Sight {
  std::size_t pixel;
  std::array<std::int32_t, kTile> start;
  std::array<std::array<float, kTile>, kMostTaps> weight;
};

/// Length of one axis and how far its voxels lie apart on the detector.
struct Axis {
  std::size_t n;
  double slope;
};

/// One projection's geometry about a tile.
struct View2D {
  Axis along, across;
  bool along_z;
  double nearness, farness;  ///< of the sub-samples
  double half_width;         ///< of the neighbours that can reach a pixel, in voxels
  std::size_t taps;
};

View2D make_view(const Lines& lines, std::size_t projection) {
  const double a = lines.along_x[projection], b = lines.along_z[projection];
  View2D view{{lines.nz, b}, {lines.nx, a}, true, (a - b) / 4, (a + b) / 4, 0, 0};
  if (std::abs(b) > std::abs(a)) {
    std::swap(view.along, view.across);
    view.along_z = false;
  }
  const double reach = 1 + std::max(std::abs(view.nearness), std::abs(view.farness));
  view.half_width = reach / std::abs(view.across.slope);
  view.taps = std::min(static_cast<std::size_t>(2 * view.half_width) + 1, view.across.n);
  return view;
}

struct Extent {
  std::size_t begin, end;
};

/// The pixels that belong to a tile: those whose ray meets the tile's middle plane inside it. Tiles at the
/// border take those beyond it, too. Neighbouring tiles compute the same bounds from the same numbers.
Extent pixels_of(const View2D& view, std::size_t nu, Extent along, Extent across) {
  const auto [n, slope] = view.across;
  const double middle = 0.5 * static_cast<double>(along.begin + along.end - 1) -
                        static_cast<double>(centre_index(view.along.n));
  const double beyond = view.half_width + static_cast<double>(kTile) * std::abs(view.along.slope / slope) + 1;
  const double low = centred(across.begin, n) - (across.begin == 0 ? beyond : 0);
  const double high = centred(across.end, n) + (across.end == n ? beyond : 0);
  const double centre = static_cast<double>(centre_index(nu)) + view.along.slope * middle;
  const double first = slope > 0 ? std::ceil(centre + slope * low) : std::floor(centre + slope * high) + 1;
  const double end = slope > 0 ? std::ceil(centre + slope * high) : std::floor(centre + slope * low) + 1;
  const auto clamped = [nu](double u) {
    return static_cast<std::size_t>(std::clamp(u, 0.0, static_cast<double>(nu)));
  };
  return {clamped(first), clamped(end)};
}

Sight look(const View2D& view, std::size_t nu, std::size_t pixel, std::size_t along) {
  Sight sight{};
  sight.pixel = pixel;
  const double slope = view.across.slope, centre = static_cast<double>(centre_index(view.across.n));
  const double last_start = static_cast<double>(view.across.n - view.taps);
  const auto near = static_cast<float>(view.nearness), far = static_cast<float>(view.farness);
  std::array<float, kTile> distance;
  for (std::size_t i = 0; i < kTile; ++i) {
    const double u = centred(pixel, nu) - view.along.slope * centred(along + i, view.along.n);
    const double start = std::min(std::max(std::ceil(u / slope + centre - view.half_width), 0.0), last_start);
    sight.start[i] = static_cast<std::int32_t>(start);
    distance[i] = static_cast<float>(slope * (start - centre) - u);
  }
  const auto step = static_cast<float>(slope);
  for (std::size_t j = 0; j < kMostTaps; ++j)
    for (std::size_t i = 0; i < kTile; ++i)
      sight.weight[j][i] = sub_sampled_share(distance[i] + static_cast<float>(j) * step, near, far);
  return sight;
}

/// How to step through the volume from one voxel to the next.
struct Strides {
  std::size_t along, across;
};

/// Adds to one pixel's row, B vectors of it, what T neighbours in each of `steps` rows of voxels give.
template <std::size_t B, std::size_t T>
void add_sight(const Sight& sight, std::size_t steps, const float* voxels, const Strides& strides,
               float* pixel) {
  Vector sum[B];
  for (std::size_t k = 0; k < B; ++k) sum[k] = reinterpret_cast<const Vector*>(pixel)[k];
  for (std::size_t i = 0; i < steps; ++i) {
    const float* voxel =
        voxels + i * strides.along + static_cast<std::size_t>(sight.start[i]) * strides.across;
    for (std::size_t j = 0; j < T; ++j, voxel += strides.across) {
      const float w = sight.weight[j][i];
      for (std::size_t k = 0; k < B; ++k) sum[k] += w * reinterpret_cast<const Vector*>(voxel)[k];
    }
  }
  for (std::size_t k = 0; k < B; ++k) reinterpret_cast<Vector*>(pixel)[k] = sum[k];
}

template <std::size_t B>
void add_sights(std::span<const Sight> sights, std::size_t taps, std::size_t steps, const float* voxels,
                const Strides& strides, float* image, std::size_t rows) {
  const auto all = [&](auto known) {
    for (const Sight& sight : sights)
      add_sight<B, known>(sight, steps, voxels, strides, image + sight.pixel * rows);
  };
  if (taps == 1) all(std::integral_constant<std::size_t, 1>{});
  if (taps == 2) all(std::integral_constant<std::size_t, 2>{});
  if (taps == 3) all(std::integral_constant<std::size_t, 3>{});
  if (taps == 4) all(std::integral_constant<std::size_t, 4>{});
}

}  // namespace

void project(const Lines& lines, View<const float, 3> volume, std::size_t first, View<float, 3> images) {
  const std::size_t count = images.extent(0), rows = images.extent(2), image_size = lines.nu * rows;
  std::fill(images.begin(), images.end(), 0.0F);
  std::vector<View2D> views;
  for (std::size_t p = 0; p < count; ++p) views.push_back(make_view(lines, first + p));
  std::vector<Sight> sights;
  std::vector<std::size_t> ends(count);
  for (std::size_t zt = 0; zt < lines.nz; zt += kTile)
    for (std::size_t xt = 0; xt < lines.nx; xt += kTile) {
      const Extent zs{zt, std::min(zt + kTile, lines.nz)}, xs{xt, std::min(xt + kTile, lines.nx)};
      sights.clear();
      for (std::size_t p = 0; p < count; ++p) {
        const Extent along = views[p].along_z ? zs : xs, across = views[p].along_z ? xs : zs;
        const Extent pixels = pixels_of(views[p], lines.nu, along, across);
        for (std::size_t u = pixels.begin; u < pixels.end; ++u)
          sights.push_back(look(views[p], lines.nu, u, along.begin));
        ends[p] = sights.size();
      }
      for_each_piece(rows, [&](std::size_t offset, auto vectors) {
        for (std::size_t p = 0; p < count; ++p) {
          const bool along_z = views[p].along_z;
          const std::size_t begin = p > 0 ? ends[p - 1] : 0;
          const Strides strides = along_z ? Strides{lines.nx * rows, rows} : Strides{rows, lines.nx * rows};
          const float* voxels = volume.data() + (along_z ? zt * lines.nx : xt) * rows + offset;
          add_sights<vectors>({sights.data() + begin, ends[p] - begin}, views[p].taps,
                              along_z ? zs.end - zs.begin : xs.end - xs.begin, voxels, strides,
                              images.data() + p * image_size + offset, rows);
        }
      });
    }
}

}  // namespace aetos::tomography
