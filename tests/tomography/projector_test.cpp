#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"
#include "phantoms.hpp"

namespace aetos {
namespace {

using namespace test;
using tomography::make_projector;
using tomography::Projector;

constexpr std::array<double, 3> kOversampling{3, 3, 3};
constexpr std::array<Projector, 2> kBoth{Projector::fourier, Projector::real_space};

Array<float, 3> project(const Geometry& g, Projector kind, const Array<float, 3>& volume,
                        std::array<double, 3> oversampling = kOversampling) {
  Array<float, 3> images = empty_images(g);
  make_projector(g, kind, oversampling)->forward(volume, 0, images);
  return images;
}

std::size_t peak(const Array<float, 3>& images, std::size_t p, std::size_t row) {
  std::size_t best = 0;
  for (std::size_t u = 0; u < images.extent(1); ++u)
    if (images(p, u, row) > images(p, best, row)) best = u;
  return best;
}

/// Mean coordinate along u about the centre, within three pixels of the peak of one row of one projection.
double centroid(const Array<float, 3>& images, std::size_t p, std::size_t row) {
  const auto top = static_cast<std::ptrdiff_t>(peak(images, p, row));
  const auto centre = static_cast<std::ptrdiff_t>(centre_index(images.extent(1)));
  double sum = 0, moment = 0;
  for (std::ptrdiff_t u = top - 3; u <= top + 3; ++u) {
    sum += images(p, u, row);
    moment += images(p, u, row) * static_cast<double>(u - centre);
  }
  return moment / sum;
}

/// A smooth ball of unit width about (x, y, z) from the centre.
void add_blob(Array<float, 3>& volume, const Geometry& g, const Vec3& place, double sigma) {
  const auto [nz, ny, nx] = g.volume_px;
  for (std::size_t z = 0; z < nz; ++z)
    for (std::size_t x = 0; x < nx; ++x)
      for (std::size_t y = 0; y < ny; ++y) {
        const Vec3 r(static_cast<double>(x) - static_cast<double>(nx / 2),
                     static_cast<double>(y) - static_cast<double>(ny / 2),
                     static_cast<double>(z) - static_cast<double>(nz / 2));
        volume(z, x, y) += static_cast<float>(std::exp(-(r - place).squaredNorm() / (2 * sigma * sigma)));
      }
}

TEST(ProjectorTest, VoxelAtTheOriginStaysAtTheCentreIndex) {
  for (std::size_t n : {std::size_t{32}, std::size_t{33}})
    for (Projector kind : kBoth) {
      const Geometry g = plain_geometry(n, 1, n, n, tilts(-70, 70, 10));
      Array<float, 3> volume = empty_volume(g);
      volume(n / 2, n / 2, 0) = 1;
      const auto images = project(g, kind, volume);
      for (std::size_t p = 0; p < g.angles.size(); ++p) {
        EXPECT_EQ(peak(images, p, 0), n / 2) << "n " << n << " tilt " << g.angles[p].theta_deg;
        EXPECT_NEAR(centroid(images, p, 0), 0, 0.01);
      }
      const auto back = run_resire(g, kind, images, 30);
      const auto* top = std::max_element(back.volume.begin(), back.volume.end());
      EXPECT_EQ(static_cast<std::size_t>(top - back.volume.begin()), ((n / 2) * n + n / 2) * 16);
    }
}

TEST(ProjectorTest, OffCentreVoxelsFallWhereTheRotationSays) {
  // u = x cos(theta) - z sin(theta): spec/tomography.md.
  for (Projector kind : kBoth) {
    const Geometry g = plain_geometry(32, 1, 32, 32, {{0, 30, 0}});
    const double tolerance = kind == Projector::fourier ? 0.1 : 0.02;
    Array<float, 3> at_x = empty_volume(g), at_z = empty_volume(g);
    at_x(16, 24, 0) = 1;
    at_z(24, 16, 0) = 1;
    EXPECT_NEAR(centroid(project(g, kind, at_x), 0, 0), 8 * std::cos(kPi / 6), tolerance);
    EXPECT_NEAR(centroid(project(g, kind, at_z), 0, 0), -4, tolerance);
  }
}

TEST(ProjectorTest, EulerAnglesFollowTheTestVector) {
  // phi = 10, theta = 20, psi = 30 degrees: r = (1, 2, 3) falls on (0.225708, 3.192695).
  Geometry g{{24, 24, 24}, 24, 24, {{10, 20, 30}, {40, 0, 0}, {0, 0, 40}}};
  Array<float, 3> volume = empty_volume(g);
  add_blob(volume, g, {1, 2, 3}, 1.5);
  const auto images = project(g, Projector::fourier, volume);
  for (std::size_t p = 0; p < 3; ++p) {
    const Vec3 expected = to_beam_frame(rotation_matrix(g.angles[p]), {1, 2, 3});
    double sum = 0, u = 0, v = 0;
    for (std::size_t i = 0; i < 24; ++i)
      for (std::size_t j = 0; j < 24; ++j) {
        sum += images(p, i, j);
        u += images(p, i, j) * (static_cast<double>(i) - 12);
        v += images(p, i, j) * (static_cast<double>(j) - 12);
      }
    // Linear interpolation of the spectrum draws the object towards the centre a little.
    EXPECT_NEAR(u / sum, expected.x(), 0.03);
    EXPECT_NEAR(v / sum, expected.y(), 0.03);
  }
  EXPECT_NEAR(to_beam_frame(rotation_matrix(g.angles[0]), {1, 2, 3}).x(), 0.225708, 1e-6);
}

const std::vector<EulerAngles> kAnyTilts{{0, -71, 0}, {0, 0, 0}, {0, 14.3, 0}, {0, 90, 0}, {0, 130, 0}};

TEST(ProjectorTest, RealSpacePairIsAdjointForUnequalSizes) {
  const Geometry g = plain_geometry(13, 21, 18, 27, kAnyTilts);
  expect_adjoint(*make_projector(g, Projector::real_space, kOversampling), g);
}

/// Sizes odd and even, padded likewise, and tilts at which the line leaves the padded grid.
TEST(ProjectorTest, FourierHasAnExactAdjoint) {
  for (const std::array<double, 3> oversampling :
       {std::array{4.0, 4.0, 4.0}, {2.0, 1.0, 3.0}, {1.5, 1.0, 1.3}})
    for (const std::size_t n : {17u, 18u}) {
      const Geometry g = plain_geometry(13, 21, n, 27, kAnyTilts);
      const auto projector = make_projector(g, Projector::fourier_adjoint, oversampling);
      expect_adjoint(*projector, g);
      Array<float, 3> x = empty_volume(g), y = empty_images(g), back = empty_volume(g);
      Array<float, 3> forward = empty_images(g), published = empty_images(g);
      fill_random(x, 21, 1);
      fill_random(y, 21, 2);
      projector->forward(x, 0, forward);
      make_projector(g, Projector::fourier, oversampling)->forward(x, 0, published);
      EXPECT_EQ(std::memcmp(published.data(), forward.data(), published.size() * sizeof(float)), 0);
      projector->back(y, 0, back);
      // Some planes are those of all.
      Array<float, 3> part({2, n, back.extent(2)});
      projector->back(y, 5, part);
      EXPECT_EQ(std::memcmp(part.data(), &back(5, 0, 0), part.size() * sizeof(float)), 0);
    }
}

TEST(ProjectorTest, DiscHasItsAnalyticProjection) {
  // A disc of radius R and density 1 projects to 2 sqrt(R² - u²), at every tilt.
  const std::size_t n = 96;
  const double radius = 30;
  const Geometry g = plain_geometry(n, 1, n, n, tilts(-60, 60, 20));
  Array<float, 3> volume = empty_volume(g);
  constexpr int kFine = 8;
  for (std::size_t z = 0; z < n; ++z)
    for (std::size_t x = 0; x < n; ++x) {
      int inside = 0;
      for (int i = 0; i < kFine * kFine; ++i) {
        const double dx = static_cast<double>(x) - 48 + (i % kFine + 0.5) / kFine - 0.5;
        const double dz = static_cast<double>(z) - 48 + (i / kFine + 0.5) / kFine - 0.5;
        inside += dx * dx + dz * dz < radius * radius;
      }
      volume(z, x, 0) = static_cast<float>(inside) / (kFine * kFine);
    }
  for (Projector kind : kBoth) {
    const auto images = project(g, kind, volume);
    double difference = 0, norm = 0;
    for (std::size_t p = 0; p < g.angles.size(); ++p)
      for (std::size_t u = 0; u < n; ++u) {
        const double du = static_cast<double>(u) - 48;
        const double exact = std::abs(du) < radius ? 2 * std::sqrt(radius * radius - du * du) : 0;
        difference += std::pow(images(p, u, 0) - exact, 2);
        norm += exact * exact;
      }
    EXPECT_LT(std::sqrt(difference / norm), 0.025);
  }
}

TEST(ProjectorTest, RowsDoNotKnowTheirNeighbours) {
  const Geometry all = plain_geometry(20, 11, 20, 20, tilts(-60, 60, 15)),
                 some = plain_geometry(20, 5, 20, 20, all.angles);
  Array<float, 3> measured = empty_images(all), part = empty_images(some);
  fill_random(measured, 11, 3);
  for (std::size_t i = 0; i < all.angles.size() * 20; ++i)
    for (std::size_t y = 0; y < 5; ++y) part.data()[i * 16 + y] = measured.data()[i * 16 + y + 3];
  for (Projector kind : kBoth) {
    const auto whole = run_resire(all, kind, measured, 10), alone = run_resire(some, kind, part, 10);
    for (std::size_t i = 0; i < 400; ++i)
      for (std::size_t y = 0; y < 5; ++y)
        ASSERT_EQ(whole.volume.data()[i * 16 + y + 3], alone.volume.data()[i * 16 + y]) << "row " << y + 3;
  }
}

TEST(ProjectorTest, SpecialAnglesAreFiniteAndSmooth) {
  const Geometry special =
      plain_geometry(17, 3, 17, 17, {{0, 0, 0}, {0, 45, 0}, {0, 90, 0}, {0, -90, 0}, {0, 180, 0}});
  const Geometry tiny = plain_geometry(17, 3, 17, 17, {{0, 1e-9, 0}}),
                 zero = plain_geometry(17, 3, 17, 17, {{0, 0, 0}});
  for (Projector kind : kBoth) {
    Array<float, 3> volume = empty_volume(special), back = empty_volume(special);
    fill_random(volume, 3, 4);
    const auto images = project(special, kind, volume);
    make_projector(special, kind, kOversampling)->back(images, 0, back);
    EXPECT_TRUE(std::all_of(images.begin(), images.end(), [](float v) { return std::isfinite(v); }));
    EXPECT_TRUE(std::all_of(back.begin(), back.end(), [](float v) { return std::isfinite(v); }));
    const auto at_zero = project(zero, kind, volume), near_zero = project(tiny, kind, volume);
    EXPECT_LT(relative_difference(near_zero, at_zero), 1e-6);
    Array<float, 3> back_zero = empty_volume(zero), back_tiny = empty_volume(zero);
    make_projector(zero, kind, kOversampling)->back(at_zero, 0, back_zero);
    make_projector(tiny, kind, kOversampling)->back(at_zero, 0, back_tiny);
    EXPECT_LT(relative_difference(back_tiny, back_zero), 1e-6);
  }
}

TEST(ProjectorTest, GeneralPathEqualsTheRowsOfAPlainSeries) {
  for (std::size_t n : {std::size_t{20}, std::size_t{21}}) {
    const Geometry g = plain_geometry(n, 6, n + 3, n, {{0, -50, 0}, {0, 0, 0}, {0, 33, 0}, {0, 140, 0}});
    Geometry general = g;
    for (auto& angles : general.angles) angles.psi_deg = 1e-12;
    Array<float, 3> volume = empty_volume(g), by_rows = empty_volume(g), by_volume = empty_volume(g);
    fill_random(volume, 6, 5);
    const auto rows = project(g, Projector::fourier, volume),
               whole = project(general, Projector::fourier, volume);
    EXPECT_LT(relative_difference(whole, rows), 1e-5);
    make_projector(g, Projector::fourier, kOversampling)->back(rows, 0, by_rows);
    make_projector(general, Projector::fourier, kOversampling)->back(rows, 0, by_volume);
    EXPECT_LT(relative_difference(by_volume, by_rows), 1e-5);
  }
}

TEST(ProjectorTest, SlabOfPlanesEqualsTheWholeBackProjection) {
  const Geometry g = plain_geometry(19, 4, 17, 17, tilts(-60, 60, 30));
  Array<float, 3> images = empty_images(g), all = empty_volume(g), some({5, 17, 16});
  fill_random(images, 4, 6);
  for (Projector kind : kBoth) {
    const auto projector = make_projector(g, kind, kOversampling);
    projector->back(images, 0, all);
    projector->back(images, 9, some);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), &all(9, 0, 0)));
  }
}

}  // namespace
}  // namespace aetos
