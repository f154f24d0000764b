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
