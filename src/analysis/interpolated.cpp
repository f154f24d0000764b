#include "interpolated.hpp"

#include <algorithm>
#include <array>

#include "aetos/core/error.hpp"
#include "aetos/io/tilt_series.hpp"

namespace aetos::analysis {
namespace {

constexpr double kDiscStep_A = 0.1;

double voxel_of(const std::string& file) {
  const auto info = io::read_volume_info(file);
  if (!info.voxel_A) throw InputError(file, "no voxel size", "a volume that says it");
  return *info.voxel_A;
}

}  // namespace

std::optional<double> InterpolatedImage::at(const Vec2& r) const {
  const double x = r.x() / pixel_ + static_cast<double>(centre_index(pixels_.extent(2)));
  const double y = r.y() / pixel_ + static_cast<double>(centre_index(pixels_.extent(1)));
  if (!(x >= 0 && y >= 0) || x >= static_cast<double>(pixels_.extent(2) - 1) ||
      y >= static_cast<double>(pixels_.extent(1) - 1))
    return std::nullopt;
  const auto i = static_cast<std::size_t>(x), j = static_cast<std::size_t>(y);
  const double a = x - static_cast<double>(i), b = y - static_cast<double>(j);
  const auto p = [&](std::size_t v, std::size_t u) { return static_cast<double>(pixels_(0, v, u)); };
  return (1 - b) * ((1 - a) * p(j, i) + a * p(j, i + 1)) + b * ((1 - a) * p(j + 1, i) + a * p(j + 1, i + 1));
}

std::optional<double> InterpolatedImage::disc(const Vec2& r, double radius_A) const {
  double sum = 0, points = 0;
  const int n = static_cast<int>(radius_A / kDiscStep_A);
  for (int i = -n; i <= n; ++i)
    for (int j = -n; j <= n; ++j) {
      const Vec2 d = kDiscStep_A * Vec2(i, j);
      if (d.norm() > radius_A) continue;
      const auto v = at(r + d);
      if (!v) return std::nullopt;
      sum += *v;
      points += 1;
    }
  return sum / points;
}

InterpolatedVolume::InterpolatedVolume(const std::string& file)
    : voxel_(voxel_of(file)),
      volume_(io::read_volume_planes(file, {0, io::read_volume_info(file).shape[0]})) {}

double InterpolatedVolume::widest_A() const {
  return voxel_ * static_cast<double>(std::max({volume_.extent(0), volume_.extent(1), volume_.extent(2)}));
}

std::optional<double> InterpolatedVolume::at(const Vec3& r) const {
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
