#include "sphere_mean.hpp"

namespace aetos::analysis {
namespace {

constexpr double kStep_A = 0.25;

}  // namespace

SphereMean::SphereMean(const std::string& volume, double radius_A) : volume_(volume) {
  const int n = static_cast<int>(radius_A / kStep_A);
  for (int i = -n; i <= n; ++i)
    for (int j = -n; j <= n; ++j)
      for (int k = -n; k <= n; ++k)
        if (const Vec3 d = kStep_A * Vec3(i, j, k); d.norm() <= radius_A) offsets_.push_back(d);
}

std::optional<double> SphereMean::at(const Vec3& place) const {
  double sum = 0;
  for (const auto& d : offsets_) {
    const auto v = volume_.at(place + d);
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

}  // namespace aetos::analysis
