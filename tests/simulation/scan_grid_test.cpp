#include "aetos/simulation/scan_grid.hpp"

#include <gtest/gtest.h>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::simulation {
namespace {

const double kWavelength = electron_wavelength_A(300);

TEST(ScanGrid, AutomaticFieldHoldsTheParticle) {
  multislice::ScanOptions options;
  options.pixel_A = 0.3434;
  const auto scan = scan_grid(options, 20.0, kWavelength, 30);
  EXPECT_EQ(scan.ny, 152u);  // 2 ceil(26 / 0.3434)
  EXPECT_EQ(scan.nx, 152u);
  EXPECT_EQ(scan.probes(), 152u * 152u);
  EXPECT_EQ(scan.probe(76, 76), Vec2(0, 0));
  EXPECT_NEAR(scan.probe(76, 77).x(), 0.3434, 1e-12);
  EXPECT_NEAR(scan.probe(75, 76).y(), -0.3434, 1e-12);
}

TEST(ScanGrid, OnePixelAndOneRow) {
  multislice::ScanOptions options;
  options.pixel_A = 0.3434;
  options.field_A = {{0.3434, 3.434}};
  const auto row = scan_grid(options, 20.0, kWavelength, 30);
  EXPECT_EQ(row.ny, 1u);
  EXPECT_EQ(row.nx, 10u);
  options.field_A = {{0.1, 0.1}};
  EXPECT_EQ(scan_grid(options, 20.0, kWavelength, 30).probes(), 1u);
  EXPECT_EQ(scan_grid(options, 20.0, kWavelength, 30).probe(0, 0), Vec2(0, 0));
}

TEST(ScanGrid, AutomaticStepMeetsNyquist) {
  multislice::ScanOptions options;
  options.pixel_A = 0.3434;
  options.field_A = {{3.434, 3.434}};
  options.probe_step_A = multislice::ScanOptions::Nyquist{};
  const auto scan = scan_grid(options, 20.0, kWavelength, 30);
  EXPECT_EQ(scan.per_pixel, 3u);  // the study's case: lambda / (4 alpha) is 0.164 Å
  EXPECT_EQ(scan.probes_x(), 28u);
  EXPECT_EQ(scan.probe(15, 15), Vec2(0, 0));
  EXPECT_NEAR(scan.probe(15, 18).x(), 0.3434, 1e-12);
}

TEST(ScanGrid, StepsThatDoNotDivideThePixelAreRefused) {
  multislice::ScanOptions options;
  options.pixel_A = 0.4;
  options.probe_step_A = 0.2;
  EXPECT_EQ(scan_grid(options, 5, kWavelength, 30).per_pixel, 2u);
  for (double step : {0.3, 0.8, 0.0, -0.1}) {
    options.probe_step_A = step;
    EXPECT_THROW(scan_grid(options, 5, kWavelength, 30), InputError) << step;
  }
  options.probe_step_A = multislice::ScanOptions::Pixel{};
  options.pixel_A = 0;
  EXPECT_THROW(scan_grid(options, 5, kWavelength, 30), InputError);
}

TEST(ScanGrid, TilesCoverEachProbeOnce) {
  multislice::ScanOptions options;
  options.pixel_A = 0.3434;
  options.field_A = {{7, 11}};
  const auto scan = scan_grid(options, 5, kWavelength, 30);
  std::vector<int> covered(scan.probes());
  for (const auto& tile : make_tiles(scan, 1.0)) {
    EXPECT_EQ(tile_probes(scan, tile).size(), tile.probes());
    EXPECT_EQ(tile_probes(scan, tile).front(), scan.probe(tile.y_begin, tile.x_begin));
    for (std::size_t y = tile.y_begin; y < tile.y_end; ++y)
      for (std::size_t x = tile.x_begin; x < tile.x_end; ++x) ++covered[y * scan.probes_x() + x];
  }
  for (int n : covered) EXPECT_EQ(n, 1);
}

}  // namespace
}  // namespace aetos::simulation
