#include "aetos/multislice/detector.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

TEST(Detector, OverlapOfAPixelAndADiscIsExact) {
  EXPECT_NEAR(disc_overlap_area(-5, 5, -5, 5, 2), kPi * 4, 1e-12);
  EXPECT_NEAR(disc_overlap_area(0, 5, 0, 5, 2), kPi, 1e-12);
  EXPECT_NEAR(disc_overlap_area(0.1, 0.4, -0.3, 0.2, 2), 0.15, 1e-12);
  EXPECT_NEAR(disc_overlap_area(3, 4, 0, 1, 2), 0, 1e-12);
  double sampled = 0;
  const int n = 1000;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i)
      sampled += std::hypot(1.0 + (i + 0.5) / n, 0.8 + (j + 0.5) / n) <= 2 ? 1.0 / (n * n) : 0;
  EXPECT_NEAR(disc_overlap_area(1, 2, 0.8, 1.8, 2), sampled, 1e-4);
  EXPECT_NEAR(disc_overlap_area(-2, -1, -1.8, -0.8, 2), sampled, 1e-4);
}

TEST(Detector, SharesOfAdjoiningAnnuliAddUpToTheArea) {
  const FftGrid grid{64, 48, 0.1, 0.12};
  const double lambda = electron_wavelength_A(300);
  for (const auto edges : {DetectorEdges::area, DetectorEdges::hard})
    for (std::size_t j = 0; j < grid.ny; ++j)
      for (std::size_t i = 0; i < grid.nx; ++i) {
        double sum = 0;
        for (double ring = 0; ring < 200; ring += 10)
          sum += annulus_share(grid, lambda, grid.kx(i), grid.ky(j), ring, ring + 10, edges);
        EXPECT_NEAR(sum, 1, 1e-9);
      }
  double area = 0;
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i)
      area += annulus_share(grid, lambda, grid.kx(i), grid.ky(j), 20, 40, DetectorEdges::area) * grid.dkx() *
              grid.dky();
  EXPECT_NEAR(area * lambda * lambda * 1e6 / (kPi * (1600 - 400)), 1, 1e-9);
}

TEST(Detector, SegmentsAddUpToTheirAnnulus) {
  const FftGrid grid{48, 64, 0.12, 0.1};
  const double lambda = electron_wavelength_A(300);
  for (const int segments : {1, 2, 3, 4, 16})
    for (const auto edges : {DetectorEdges::area, DetectorEdges::hard}) {
      DetectorOptions detector{"seg", DetectorKind::segmented, 10, 40, 1};
      detector.rings = 2;
      detector.segments = segments;
      detector.rotation_deg = 17;
      const auto sectors = sectors_of(detector);
      ASSERT_EQ(sectors.size(), static_cast<std::size_t>(2 * segments));
      std::vector<double> area(sectors.size());
      for (std::size_t j = 0; j < grid.ny; ++j)
        for (std::size_t i = 0; i < grid.nx; ++i) {
          double sum = 0;
          for (std::size_t s = 0; s < sectors.size(); ++s) {
            const double share = sector_share(grid, lambda, grid.kx(i), grid.ky(j), sectors[s], edges);
            sum += share;
            area[s] += share;
          }
          EXPECT_NEAR(sum, annulus_share(grid, lambda, grid.kx(i), grid.ky(j), 10, 40, edges), 1e-9);
        }
      if (edges == DetectorEdges::hard) continue;
      const double pixel_mrad2 = grid.dkx() * grid.dky() * lambda * lambda * 1e6;
      for (std::size_t s = 0; s < sectors.size(); ++s) {
        const double expected =
            kPi / segments * (std::pow(sectors[s].outer_mrad, 2) - std::pow(sectors[s].inner_mrad, 2));
        EXPECT_NEAR(area[s] * pixel_mrad2 / expected, 1, 1e-9) << s << " of " << segments;
      }
    }
}

/// By counting points of a fine raster.
TEST(Detector, SegmentsShareAPixelByArea) {
  const FftGrid grid{20, 20, 0.5, 0.5};
  const double lambda = electron_wavelength_A(300), to_mrad = lambda * 1e3;
  DetectorOptions detector{"seg", DetectorKind::segmented, 1.5, 7, 1};
  detector.segments = 3;
  detector.rotation_deg = 40;
  for (const Sector& sector : sectors_of(detector))
    for (const auto& [i, j] : {std::pair<std::size_t, std::size_t>{0, 0}, {1, 0}, {19, 1}, {2, 18}, {0, 3}}) {
      const int n = 400;
      double inside = 0;
      for (int b = 0; b < n; ++b)
        for (int a = 0; a < n; ++a) {
          const double kx = grid.kx(i) + grid.dkx() * ((a + 0.5) / n - 0.5),
                       ky = grid.ky(j) + grid.dky() * ((b + 0.5) / n - 0.5);
          const double r = std::hypot(kx, ky) * to_mrad;
          const double turn = (std::atan2(ky, kx) - sector.from) / (2 * kPi);
          inside += r >= 1.5 && r < 7 && (turn - std::floor(turn)) * 3 < 1;
        }
      EXPECT_NEAR(sector_share(grid, lambda, grid.kx(i), grid.ky(j), sector, DetectorEdges::area),
                  inside / (n * n), 1e-3);
    }
}

/// The intensity of a disc that moves by a little shifts between quadrants as their centroids say.
TEST(Detector, CentroidsOfSegments) {
  const auto quadrant = centroid_mrad({0, 30, 0, kPi / 2});
  EXPECT_NEAR(quadrant[0], 4 * 30 / (3 * kPi), 1e-12);
  EXPECT_NEAR(quadrant[1], 4 * 30 / (3 * kPi), 1e-12);
  EXPECT_NEAR(centroid_mrad({0, 30, 0, 2 * kPi})[0], 0, 1e-12);
  const auto thin = centroid_mrad({20, 20.001, 0.99, 1.01});
  EXPECT_NEAR(std::hypot(thin[0], thin[1]), 20, 1e-2);
}

/// Whatever the size of its pixels, a camera sees what a square of the diffraction plane holds.
TEST(Detector, ACameraRebinsByArea) {
  const FftGrid grid{64, 48, 0.1, 0.12};
  Array<float, 2> intensity({48, 64});
  for (std::size_t p = 0; p < intensity.size(); ++p) intensity.data()[p] = static_cast<float>(p % 7 + 1);
  for (const double step : {1.0, 2.7, 5.0}) {
    DetectorOptions camera{"cbed", DetectorKind::pixelated, 0, 20, step};
    const std::size_t side = camera_side(camera);
    EXPECT_EQ(side, 2 * static_cast<std::size_t>(20 / step) + 1);
    const DetectorSums sums({camera}, grid, 300, DetectorEdges::area);
    std::vector<double> pixels(side * side + 1);
    sums.apply(intensity, pixels);
    double seen = 0, expected = 0;
    for (std::size_t p = 0; p < side * side; ++p) seen += pixels[p];
    const double half = static_cast<double>(side) * step * 0.5e-3 / electron_wavelength_A(300);
    for (std::size_t j = 0; j < 48; ++j)
      for (std::size_t i = 0; i < 64; ++i) {
        const auto share = [half](double k, double dk) {
          return std::max(0.0, std::min(half, k + dk / 2) - std::max(-half, k - dk / 2)) / dk;
        };
        expected += static_cast<double>(intensity(j, i)) * share(grid.kx(i), grid.dkx()) *
                    share(grid.ky(j), grid.dky());
      }
    EXPECT_NEAR(seen / expected, 1, 1e-6) << step;
  }
}

TEST(Detector, ChannelsAreNamedInOrder) {
  const std::vector<DetectorOptions> detectors{{"adf", DetectorKind::annular, 39, 60, 1},
                                               {"rings", DetectorKind::radial, 0, 0, 10},
                                               {"com", DetectorKind::com, 0, 0, 1}};
  const auto layout = channel_layout(resolve_detectors(detectors, 65.6));
  EXPECT_EQ(layout.count, 11u);
  EXPECT_EQ(layout.names.front(), "adf");
  EXPECT_EQ(layout.names[1], "rings[0]");
  EXPECT_EQ(layout.names[7], "rings[6]");
  EXPECT_EQ(layout.names[8], "com.x");
  EXPECT_EQ(layout.names.back(), "transmitted");
  EXPECT_EQ(layout.first_of_detector, (std::vector<std::size_t>{0, 1, 8}));
}

TEST(Detector, RefusesAnnuliWithoutExtent) {
  EXPECT_THROW(channel_layout({{"adf", DetectorKind::annular, 60, 60, 1}}), InputError);
  EXPECT_THROW(channel_layout({{"adf", DetectorKind::annular, -1, 60, 1}}), InputError);
  EXPECT_THROW(channel_layout({{"rings", DetectorKind::radial, 0, 60, 0}}), InputError);
}

TEST(Detector, CentreOfMassIsPerTransmittedIntensity) {
  const FftGrid grid{32, 32, 0.1, 0.1};
  const std::vector<DetectorOptions> detectors{{"com", DetectorKind::com, 0, 0, 1}};
  const DetectorSums sums(detectors, grid, 300, DetectorEdges::area);
  Array<float, 2> intensity({32, 32});
  intensity(0, 3) = 0.25f;   // kx = 3 reciprocal pixels
  intensity(30, 0) = 0.25f;  // ky = -2
  std::vector<double> values(3);
  sums.apply(intensity, values);
  sums.finish(values);
  const double pixel_mrad = electron_wavelength_A(300) * grid.dkx() * 1e3;
  EXPECT_NEAR(values[0], 1.5 * pixel_mrad, 1e-5);
  EXPECT_NEAR(values[1], -1.0 * pixel_mrad, 1e-5);
  EXPECT_NEAR(values[2], 0.5, 1e-7);
}

}  // namespace
}  // namespace aetos::multislice
