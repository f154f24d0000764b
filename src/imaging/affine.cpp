#include "aetos/imaging/affine.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::imaging {
namespace {

constexpr std::ptrdiff_t kReach = 4;
using Weights = std::array<double, 2 * kReach>;

double sinc(double x) {
  return std::abs(x) < 1e-12 ? 1 : std::sin(kPi * x) / (kPi * x);
}

/// Of the pixels from floor(place) - kReach + 1 on; their sum is 1.
Weights weights_at(double place) {
  Weights w{};
  const double first = std::floor(place) - static_cast<double>(kReach) + 1;
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double d = place - first - static_cast<double>(i);
    w[i] = std::abs(d) < kReach ? sinc(d) * sinc(d / static_cast<double>(kReach)) : 0;
    sum += w[i];
  }
  for (double& v : w) v /= sum;
  return w;
}

}  // namespace

Array<float, 2> resample(View<const float, 2> image, const Eigen::Matrix2d& matrix) {
  const auto ny = static_cast<std::ptrdiff_t>(image.extent(0)),
             nx = static_cast<std::ptrdiff_t>(image.extent(1));
  const auto cy = static_cast<double>(centre_index(image.extent(0))),
             cx = static_cast<double>(centre_index(image.extent(1)));
  Array<float, 2> out(image.shape());
  for (std::ptrdiff_t y = 0; y < ny; ++y)
    for (std::ptrdiff_t x = 0; x < nx; ++x) {
      const Vec2 r(static_cast<double>(x) - cx, static_cast<double>(y) - cy);
      // Far outside every place is the border.
      const Vec2 from =
          (matrix * r + Vec2(cx, cy))
              .cwiseMax(Vec2(-kReach, -kReach))
              .cwiseMin(Vec2(static_cast<double>(nx + kReach), static_cast<double>(ny + kReach)));
      const auto wx = weights_at(from.x()), wy = weights_at(from.y());
      const auto x0 = static_cast<std::ptrdiff_t>(std::floor(from.x())) - kReach + 1,
                 y0 = static_cast<std::ptrdiff_t>(std::floor(from.y())) - kReach + 1;
      double sum = 0;
      for (std::ptrdiff_t j = 0; j < 2 * kReach; ++j) {
        const auto row = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(y0 + j, 0, ny - 1));
        double along = 0;
        for (std::ptrdiff_t i = 0; i < 2 * kReach; ++i)
          along += wx[static_cast<std::size_t>(i)] *
                   image(row, static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(x0 + i, 0, nx - 1)));
        sum += wy[static_cast<std::size_t>(j)] * along;
      }
      out(y, x) = static_cast<float>(sum);
    }
  return out;
}

}  // namespace aetos::imaging
