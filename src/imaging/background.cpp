#include "aetos/imaging/background.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "aetos/core/geometry.hpp"
#include "aetos/core/median.hpp"

namespace aetos::imaging {
namespace {

constexpr std::size_t kBins = 256, kMeanReach = 2, kGrow = 3, kFewestPixels = 16;
constexpr double kSigmas = 4, kLeastShare = 0.05;

/// Calls use(y, x, value) of the pixels outside the object, with distances from the centre.
template <class Use>
void for_each_background(View<const float, 2> image, View<const std::uint8_t, 2> object, const Use& use) {
  const auto cy = static_cast<double>(centre_index(image.extent(0)));
  const auto cx = static_cast<double>(centre_index(image.extent(1)));
  for (std::size_t y = 0; y < image.extent(0); ++y)
    for (std::size_t x = 0; x < image.extent(1); ++x)
      if (object(y, x) == 0)
        use(static_cast<double>(y) - cy, static_cast<double>(x) - cx, static_cast<double>(image(y, x)));
}

/// Means over squares of 2 reach + 1 pixels, smaller at the borders; each axis in turn.
Array<float, 2> box_mean(View<const float, 2> image, std::size_t reach) {
  const std::size_t ny = image.extent(0), nx = image.extent(1);
  Array<float, 2> rows(image.shape()), mean(image.shape());
  const auto mean_near = [reach](std::size_t i, std::size_t n, const auto& value) {
    const std::size_t from = i < reach ? 0 : i - reach, to = std::min(i + reach + 1, n);
    double sum = 0;
    for (std::size_t k = from; k < to; ++k) sum += value(k);
    return static_cast<float>(sum / static_cast<double>(to - from));
  };
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x)
      rows(y, x) = mean_near(x, nx, [&](std::size_t k) { return image(y, k); });
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x)
      mean(y, x) = mean_near(y, ny, [&](std::size_t k) { return rows(k, x); });
  return mean;
}

/// Below Otsu's threshold where the background is quiet: thin edges belong to the object.
double object_threshold(View<const float, 2> smooth) {
  const double otsu = otsu_threshold(smooth);
  std::vector<double> rest;
  for (float v : smooth)
    if (v <= otsu) rest.push_back(v);
  if (rest.empty()) return otsu;
  const double centre = upper_median(rest);
  for (double& v : rest) v = std::abs(v - centre);
  const double sigma = 1.4826 * upper_median(rest);
  return std::min(otsu, centre + std::max(kSigmas * sigma, kLeastShare * (otsu - centre)));
}

}  // namespace

double otsu_threshold(View<const float, 2> image) {
  if (image.empty()) return 0;
  const auto [low_at, high_at] = std::minmax_element(image.begin(), image.end());
  const double low = *low_at, width = (*high_at - low) / static_cast<double>(kBins);
  if (!(width > 0)) return low;
  std::array<double, kBins> counts{};
  for (float v : image) counts[std::min(static_cast<std::size_t>((v - low) / width), kBins - 1)] += 1;
  double all = 0, moment = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    all += counts[i];
    moment += counts[i] * static_cast<double>(i);
  }
  double below = 0, moment_below = 0, best = -1;
  std::size_t split = 0;
  for (std::size_t i = 0; i + 1 < kBins; ++i) {
    below += counts[i];
    moment_below += counts[i] * static_cast<double>(i);
    if (below == 0 || below == all) continue;
    const double distance = moment_below / below - (moment - moment_below) / (all - below);
    const double between = below * (all - below) * distance * distance;
    if (between > best) {
      best = between;
      split = i;
    }
  }
  return low + width * static_cast<double>(split + 1);
}

Array<std::uint8_t, 2> object_mask(View<const float, 2> image) {
  Array<std::uint8_t, 2> mask(image.shape());
  if (image.empty()) return mask;
  const Array<float, 2> smooth = box_mean(image, kMeanReach);
  const double threshold = object_threshold(smooth);
  const std::size_t ny = image.extent(0), nx = image.extent(1);
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x) {
      if (!(smooth(y, x) > threshold)) continue;
      for (std::size_t v = y < kGrow ? 0 : y - kGrow; v < std::min(y + kGrow + 1, ny); ++v)
        for (std::size_t u = x < kGrow ? 0 : x - kGrow; u < std::min(x + kGrow + 1, nx); ++u) mask(v, u) = 1;
    }
  return mask;
}

Plane fit_background_plane(View<const float, 2> image, View<const std::uint8_t, 2> object) {
  Eigen::Matrix3d normal = Eigen::Matrix3d::Zero();
  Eigen::Vector3d right = Eigen::Vector3d::Zero();
  for_each_background(image, object, [&](double y, double x, double value) {
    const Eigen::Vector3d row(1, y, x);
    normal += row * row.transpose();
    right += value * row;
  });
  if (normal(0, 0) == 0) return {};
  const Plane constant{right(0) / normal(0, 0), 0, 0};
  if (normal(0, 0) < kFewestPixels) return constant;
  const Eigen::FullPivLU<Eigen::Matrix3d> solver(normal);
  if (!solver.isInvertible()) return constant;
  const Eigen::Vector3d plane = solver.solve(right);
  return {plane(0), plane(1), plane(2)};
}

double mean_background(View<const float, 2> image, View<const std::uint8_t, 2> object) {
  double sum = 0, count = 0;
  for_each_background(image, object, [&](double, double, double value) {
    sum += value;
    count += 1;
  });
  return count > 0 ? sum / count : 0;
}

void subtract_plane(View<float, 2> image, const Plane& plane) {
  const auto cy = static_cast<double>(centre_index(image.extent(0)));
  const auto cx = static_cast<double>(centre_index(image.extent(1)));
  for (std::size_t y = 0; y < image.extent(0); ++y)
    for (std::size_t x = 0; x < image.extent(1); ++x)
      image(y, x) -= static_cast<float>(plane.a + plane.b * (static_cast<double>(y) - cy) +
                                        plane.c * (static_cast<double>(x) - cx));
}

void keep_object(View<float, 2> image, View<const std::uint8_t, 2> object, double constant) {
  for (std::size_t i = 0; i < image.size(); ++i)
    image.data()[i] = object.data()[i] ? image.data()[i] - static_cast<float>(constant) : 0.0F;
}

}  // namespace aetos::imaging
