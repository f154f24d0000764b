#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"
#include "aetos/imaging/shift.hpp"

/// Images of silicon along [110], made column by column: no Fourier transform and no code of the calibration
/// takes part.
namespace aetos::test {

inline constexpr double kSilicon_A = 5.43102;

/// How a scan sees the crystal: a step along x is (pixel_x_A, 0), one along y (shear pixel_y_A, pixel_y_A) in
/// Å.
struct Scan {
  double pixel_x_A = 0.2, pixel_y_A = 0.2, shear = 0;
  double rotation_deg = 0;  ///< of the crystal
};

/// Gaussian columns of the dumbbells of Si [110]: a rectangular cell of a x a / sqrt(2) with columns at (0,
/// 0), (a/4, 0), (a/2, half) and (3a/4, half). Mean `electrons` a pixel with Poisson noise where above 0;
/// `moved`: where the scan starts, in pixels.
inline Array<float, 2> silicon(std::size_t n, const Scan& scan, const imaging::Shift& moved, double electrons,
                               std::uint64_t seed, double width_A = 0.45) {
  const double a = kSilicon_A, b = a / std::sqrt(2.0), t = radians(scan.rotation_deg);
  Array<double, 2> image({n, n});
  double sum = 0;
  for (std::size_t y = 0; y < n; ++y)
    for (std::size_t x = 0; x < n; ++x) {
      const double px = static_cast<double>(x) - moved.x, py = static_cast<double>(y) - moved.y;
      const double u = scan.pixel_x_A * px + scan.shear * scan.pixel_y_A * py, v = scan.pixel_y_A * py;
      const double s = std::cos(t) * u + std::sin(t) * v, r = -std::sin(t) * u + std::cos(t) * v;
      double value = 0.3;
      for (const Vec2& column : {Vec2(0, 0), Vec2(a / 4, 0), Vec2(a / 2, b / 2), Vec2(3 * a / 4, b / 2)}) {
        const double ds = std::remainder(s - column.x(), a), dr = std::remainder(r - column.y(), b);
        value += std::exp(-(ds * ds + dr * dr) / (2 * width_A * width_A));
      }
      image(y, x) = value;
      sum += value;
    }
  Array<float, 2> out({n, n});
  const double scale = electrons > 0 ? electrons * static_cast<double>(n * n) / sum : 1;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double mean = scale * image.data()[i];
    out.data()[i] = static_cast<float>(
        electrons > 0 ? static_cast<double>(random::poisson(mean, seed, random::Domain::test, {0, 0, i}))
                      : mean);
  }
  return out;
}

}  // namespace aetos::test
