#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "aetos/core/geometry.hpp"
#include "aetos/tomography/projector.hpp"

/// Phantoms whose projections are known in closed form: the error of the real-space projector falls with the
/// square of the voxel size.
namespace aetos::tomography {
namespace {

/// An ellipse in units of half the field, turned by `angle` from x to z.
struct Ellipse {
  double value, a, b, x, z, angle;
  double c = std::cos(angle * M_PI / 180), s = std::sin(angle * M_PI / 180);
};

/// Shepp and Logan (1974), table 1, with the contrasts of Toft (1996).
const std::vector<Ellipse> kSheppLogan{
    {1, .69, .92, 0, 0, 0},          {-.8, .6624, .874, 0, -.0184, 0}, {-.2, .11, .31, .22, 0, -18},
    {-.2, .16, .41, -.22, 0, 18},    {.1, .21, .25, 0, .35, 0},        {.1, .046, .046, 0, .1, 0},
    {.1, .046, .046, 0, -.1, 0},     {.1, .046, .023, -.08, -.605, 0}, {.1, .023, .023, 0, -.606, 0},
    {.1, .023, .046, .06, -.605, 0},
};
const std::vector<Ellipse> kDisc{{1, .6, .6, .1, -.05, 0}};

double radians(double degrees) {
  return degrees * M_PI / 180;
}

double density(const std::vector<Ellipse>& phantom, double x, double z) {
  double sum = 0;
  for (const auto& e : phantom) {
    const double dx = x - e.x, dz = z - e.z;
    const double along_a = (e.c * dx + e.s * dz) / e.a, along_b = (e.c * dz - e.s * dx) / e.b;
    if (along_a * along_a + along_b * along_b <= 1) sum += e.value;
  }
  return sum;
}

/// Integral along the ray at u of the view at theta.
double ray(const std::vector<Ellipse>& phantom, double theta, double u) {
  double sum = 0;
  for (const auto& e : phantom) {
    const double t = radians(theta), turned = t + radians(e.angle);
    const double reach2 = std::pow(e.a * std::cos(turned), 2) + std::pow(e.b * std::sin(turned), 2);
    const double d = u - (e.x * std::cos(t) - e.z * std::sin(t));
    if (d * d < reach2) sum += 2 * e.value * e.a * e.b * std::sqrt(reach2 - d * d) / reach2;
  }
  return sum;
}

constexpr int kSamples = 16;

/// Mean over a pixel, of pixels `h` wide.
template <class F>
double mean(double centre, double h, const F& f) {
  double sum = 0;
  for (int i = 0; i < kSamples; ++i) sum += f(centre + h * ((i + 0.5) / kSamples - 0.5));
  return sum / kSamples;
}

/// Mean absolute error over mean, over some views, compared in cells of 1/16 of the field, which are the same
/// at every voxel size.
double error(const std::vector<Ellipse>& phantom, std::size_t n) {
  const std::size_t cells = 16, in_cell = n / cells;
  Geometry geometry{{n, 1, n}, 1, n, {}};
  for (double theta : {-70.0, -37.0, -20.0, 11.0, 33.0, 62.0}) geometry.angles.push_back({0, theta, 0});
  Array<float, 3> volume({n, n, kRowBlock}), images({geometry.angles.size(), n, kRowBlock});
  const double h = 2.0 / static_cast<double>(n);
  const auto at = [&](std::size_t i) { return (static_cast<double>(i) - static_cast<double>(n / 2)) * h; };
  for (std::size_t z = 0; z < n; ++z)
    for (std::size_t x = 0; x < n; ++x)
      volume(z, x, 0) = static_cast<float>(mean(at(z), h, [&](double pz) {
        return mean(at(x), h, [&](double px) { return density(phantom, px, pz); });
      }));
  make_projector(geometry, Projector::real_space, {1, 1, 1})->forward(volume, 0, images);
  double wrong = 0, all = 0;
  for (std::size_t p = 0; p < geometry.angles.size(); ++p)
    for (std::size_t cell = 0; cell < cells; ++cell) {
      double found = 0, expected = 0;
      for (std::size_t u = cell * in_cell; u < (cell + 1) * in_cell; ++u) {
        found += h * images(p, u, 0) / static_cast<double>(in_cell);
        expected +=
            mean(at(u), h, [&](double pu) { return ray(phantom, geometry.angles[p].theta_deg, pu); }) /
            static_cast<double>(in_cell);
      }
      wrong += std::abs(found - expected);
      all += std::abs(expected);
    }
  return wrong / all;
}

void expect_second_order(const std::vector<Ellipse>& phantom) {
  const double coarse = error(phantom, 64), fine = error(phantom, 256);
  std::printf("error %.2e at 64, %.2e at 256 voxels: order %.2f\n", coarse, fine,
              std::log(coarse / fine) / std::log(4));
  EXPECT_LT(coarse, 0.02);
  EXPECT_LT(fine, coarse / 12);
}

TEST(PhantomTest, DiscConvergesToSecondOrder) {
  expect_second_order(kDisc);
}

TEST(PhantomTest, SheppLoganConvergesToSecondOrder) {
  expect_second_order(kSheppLogan);
}

struct Sphere {
  double radius;
  Vec3 centre;
};
const Sphere kSphere{0.55, {0.12, -0.07, 0.1}};

/// Share of a voxel `h` wide that a sphere fills: the corners tell where it is neither 0 nor 1.
double filled(const Sphere& sphere, const Vec3& centre, double h) {
  const double away = (centre - sphere.centre).norm() - sphere.radius;
  if (std::abs(away) > h) return away < 0 ? 1 : 0;
  return mean(centre.x(), h, [&](double x) {
    return mean(centre.y(), h, [&](double y) {
      return mean(centre.z(), h, [&](double z) {
        return (Vec3(x, y, z) - sphere.centre).norm() <= sphere.radius ? 1.0 : 0.0;
      });
    });
  });
}

/// As `error`, for a sphere seen from any Euler angles or, `plain`, about the tilt axis alone.
double sphere_error(std::size_t n, bool plain) {
  const std::size_t cells = 8, in_cell = n / cells;
  Geometry geometry{{n, n, n}, n, n, {}};
  for (double theta : {-64.0, -21.0, 13.0, 47.0})
    geometry.angles.push_back({plain ? 0 : theta / 4, theta, plain ? 0 : 9 - theta / 3});
  const std::size_t rows = padded_rows(n);
  Array<float, 3> volume({n, n, rows}), images({geometry.angles.size(), n, rows});
  const double h = 2.0 / static_cast<double>(n);
  const auto at = [&](std::size_t i) { return (static_cast<double>(i) - static_cast<double>(n / 2)) * h; };
  for (std::size_t z = 0; z < n; ++z)
    for (std::size_t x = 0; x < n; ++x)
      for (std::size_t y = 0; y < n; ++y)
        volume(z, x, y) = static_cast<float>(filled(kSphere, {at(x), at(y), at(z)}, h));
  make_projector(geometry, Projector::real_space, {1, 1, 1})->forward(volume, 0, images);
  double wrong = 0, all = 0;
  for (std::size_t p = 0; p < geometry.angles.size(); ++p) {
    const Vec3 seen = to_beam_frame(rotation_matrix(geometry.angles[p]), kSphere.centre);
    const auto chord = [&](double u, double v) {
      const double d2 = std::pow(u - seen.x(), 2) + std::pow(v - seen.y(), 2);
      return 2 * std::sqrt(std::max(0.0, kSphere.radius * kSphere.radius - d2));
    };
    Array<double, 2> found({cells, cells}), expected({cells, cells});
    for (std::size_t u = 0; u < n; ++u)
      for (std::size_t v = 0; v < n; ++v) {
        found(u / in_cell, v / in_cell) += h * images(p, u, v);
        expected(u / in_cell, v / in_cell) += mean(
            at(u), h, [&](double pu) { return mean(at(v), h, [&](double pv) { return chord(pu, pv); }); });
      }
    for (std::size_t i = 0; i < found.size(); ++i) {
      wrong += std::abs(found.data()[i] - expected.data()[i]);
      all += expected.data()[i];
    }
  }
  return wrong / all;
}

TEST(PhantomTest, SphereConvergesToSecondOrder) {
  for (const bool plain : {true, false}) {
    const double coarse = sphere_error(32, plain), fine = sphere_error(96, plain);
    std::printf("%s: error %.2e at 32, %.2e at 96 voxels: order %.2f\n", plain ? "tilts" : "Euler angles",
                coarse, fine, std::log(coarse / fine) / std::log(3));
    EXPECT_LT(coarse, 0.02);
    EXPECT_LT(fine, coarse / 7);
  }
}

}  // namespace
}  // namespace aetos::tomography
