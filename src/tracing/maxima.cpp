#include <algorithm>
#include <optional>
#include <set>

#include "aetos/tracing/peaks.hpp"

namespace aetos::tracing {
namespace {

using Voxel = std::array<std::int64_t, 3>;
constexpr std::int64_t kPlateauReach = 4;  // voxels from its first one; anything wider is no atom

/// Read access by volume indices; nothing outside the slab.
struct Reader {
  const Slab& slab;
  std::optional<float> at(const Voxel& v) const {
    const auto z = v[0] - static_cast<std::int64_t>(slab.first_plane);
    const auto& shape = slab.values.shape();
    if (z < 0 || z >= static_cast<std::int64_t>(shape[0])) return {};
    if (v[1] < 0 || v[1] >= static_cast<std::int64_t>(shape[1])) return {};
    if (v[2] < 0 || v[2] >= static_cast<std::int64_t>(shape[2])) return {};
    return slab.values(z, v[1], v[2]);
  }
};

template <class Visit>
void for_neighbours(const Voxel& v, Visit visit) {
  for (std::int64_t dz = -1; dz <= 1; ++dz)
    for (std::int64_t dy = -1; dy <= 1; ++dy)
      for (std::int64_t dx = -1; dx <= 1; ++dx)
        if (dz || dy || dx) visit(Voxel{v[0] + dz, v[1] + dy, v[2] + dx});
}

/// Whether no neighbour is higher, and none before it in index order is as high.
bool is_first_of_maximum(const Reader& reader, const Voxel& v, float height, bool& has_equal) {
  bool highest = true;
  for_neighbours(v, [&](const Voxel& n) {
    const auto value = reader.at(n);
    if (!value) return;
    if (*value > height || (*value == height && n < v)) highest = false;
    has_equal = has_equal || *value == height;
  });
  return highest;
}

/// The voxels of equal height around the first one; nothing if the plateau is too wide, has a higher
/// neighbour, or begins before `first` (then that voxel stands for it).
std::vector<Voxel> plateau_of(const Reader& reader, const Voxel& first, float height, bool& too_wide) {
  std::set<Voxel> found{first};
  std::vector<Voxel> open{first};
  bool good = true;
  while (!open.empty() && good) {
    const Voxel v = open.back();
    open.pop_back();
    for_neighbours(v, [&](const Voxel& n) {
      const auto value = reader.at(n);
      if (!value || *value < height) return;
      if (*value > height || n < first) good = false;
      for (std::size_t a = 0; a < 3; ++a) too_wide = too_wide || std::abs(n[a] - first[a]) > kPlateauReach;
      good = good && !too_wide;
      if (good && found.insert(n).second) open.push_back(n);
    });
  }
  return good ? std::vector<Voxel>(found.begin(), found.end()) : std::vector<Voxel>{};
}

std::array<double, 3> mean_of(const std::vector<Voxel>& voxels) {
  std::array<double, 3> mean{};
  for (const auto& v : voxels)
    for (std::size_t a = 0; a < 3; ++a) mean[a] += static_cast<double>(v[a]);
  for (double& m : mean) m /= static_cast<double>(voxels.size());
  return mean;
}

/// Calls `visit` with each maximum, in index order.
template <class Visit>
void for_maxima(const Slab& smoothed, Range own, float floor, std::size_t& plateaus, Visit visit) {
  const Reader reader{smoothed};
  const auto ny = static_cast<std::int64_t>(smoothed.volume[1]),
             nx = static_cast<std::int64_t>(smoothed.volume[2]);
  for (auto z = static_cast<std::int64_t>(own.begin); z < static_cast<std::int64_t>(own.end); ++z)
    for (std::int64_t y = 0; y < ny; ++y) {
      const float* row = smoothed.values.data() +
                         ((static_cast<std::size_t>(z) - smoothed.first_plane) * smoothed.volume[1] +
                          static_cast<std::size_t>(y)) *
                             smoothed.volume[2];
      for (std::int64_t x = 0; x < nx; ++x) {
        const float height = row[x];
        if (!(height > floor) || (x > 0 && row[x - 1] >= height) || (x + 1 < nx && row[x + 1] > height))
          continue;
        const Voxel voxel{z, y, x};
        bool has_equal = false;
        if (!is_first_of_maximum(reader, voxel, height, has_equal)) continue;
        std::vector<Voxel> voxels{voxel};
        bool too_wide = false;
        if (has_equal) voxels = plateau_of(reader, voxel, height, too_wide);
        plateaus += too_wide;
        if (voxels.empty()) continue;
        visit(Maximum{voxel, mean_of(voxels), height});
      }
    }
}

}  // namespace

std::vector<Maximum> local_maxima(const Slab& smoothed, Range own, float floor, std::size_t& plateaus) {
  std::vector<Maximum> maxima;
  for_maxima(smoothed, own, floor, plateaus, [&](const Maximum& m) { maxima.push_back(m); });
  return maxima;
}

std::vector<float> heights_of_maxima(const Slab& smoothed, Range own, float floor, std::size_t& plateaus) {
  std::vector<float> heights;
  for_maxima(smoothed, own, floor, plateaus, [&](const Maximum& m) { heights.push_back(m.height); });
  return heights;
}

}  // namespace aetos::tracing
