#include "sphere_mean.hpp"

#include <array>

#include "aetos/core/error.hpp"
#include "aetos/io/tilt_series.hpp"

namespace aetos::analysis {
namespace {

constexpr double kStep_A = 0.25;

double voxel_of(const std::string& file) {
  const auto info = io::read_volume_info(file);
  if (!info.voxel_A) throw InputError(file, "no voxel size", "a volume that says it");
  return *info.voxel_A;
}

}  // namespace

SphereMean::SphereMean(const std::string& volume, double radius_A) : voxel_(voxel_of(volume)) {
  volume_ = io::read_volume_planes(volume, {0, io::read_volume_info(volume).shape[0]});
  const int n = static_cast<int>(radius_A / kStep_A);
  for (int i = -n; i <= n; ++i)
    for (int j = -n; j <= n; ++j)
      for (int k = -n; k <= n; ++k)
        if (const Vec3 d = kStep_A * Vec3(i, j, k); d.norm() <= radius_A) offsets_.push_back(d);
}

std::optional<double> SphereMean::at(const Vec3& place) const {
  double sum = 0;
  for (const auto& d : offsets_) {
    const auto v = interpolated(place + d);
    if (!v) return std::nullopt;
    sum += *v;
  }
  return sum / static_cast<double>(offsets_.size());
}

std::optional<double> SphereMean::mean_at(std::span<const Vec3> places) const {
  double sum = 0, count = 0;
  for (const auto& place : places)
    if (const auto value = at(place)) {
      sum += *value;
      count += 1;
    }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

std::optional<double> SphereMean::interpolated(const Vec3& r) const {
  std::array<std::size_t, 3> low{};
  std::array<double, 3> share{};
  for (std::size_t axis = 0; axis < 3; ++axis) {  // z, y, x
    const std::size_t n = volume_.extent(axis);
    const double index = r[2 - static_cast<int>(axis)] / voxel_ + static_cast<double>(centre_index(n));
    if (!(index >= 0) || index >= static_cast<double>(n - 1)) return std::nullopt;
    low[axis] = static_cast<std::size_t>(index);
    share[axis] = index - static_cast<double>(low[axis]);
  }
  double sum = 0;
  for (std::size_t corner = 0; corner < 8; ++corner) {
    double weight = 1;
    std::array<std::size_t, 3> at = low;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const bool upper = (corner >> axis) & 1;
      at[axis] += upper;
      weight *= upper ? share[axis] : 1 - share[axis];
    }
    sum += weight * static_cast<double>(volume_(at[0], at[1], at[2]));
  }
  return sum;
}

}  // namespace aetos::analysis
