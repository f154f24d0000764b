#include "aetos/multislice/focal_series.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "aetos/core/error.hpp"
#include "aetos/multislice/tile_engine.hpp"

namespace aetos::multislice {
namespace {

MicroscopeOptions microscope(double spread_A) {
  MicroscopeOptions m;
  m.convergence_mrad = 30;
  m.focal_spread_A = spread_A;
  return m;
}

TEST(FocalSeries, HasTheMomentsOfAGaussian) {
  auto m = microscope(40);
  m.focal_points = 9;
  double moments[7] = {};
  for (const auto& point : focal_series(m))
    for (int i = 0; i < 7; ++i) moments[i] += point.weight * std::pow(point.offset_A / 40, i);
  const double expected[7] = {1, 0, 1, 0, 3, 0, 15};
  for (int i = 0; i < 7; ++i) EXPECT_NEAR(moments[i], expected[i], 1e-9) << i;
}

/// The mean of exp(i a x) over a Gaussian is exp(-a² / 2), with a the phase of a defocus of one deviation at
/// the edge of the aperture.
TEST(FocalSeries, AutoHoldsTheLargestPhaseToAPercent) {
  for (const double spread : {5.0, 15.0, 30.0, 60.0}) {
    const auto series = focal_series(microscope(spread));
    EXPECT_LT(series.size(), 42u);
    for (const double share : {0.3, 0.7, 1.0}) {
      const double a = share * 3.14159265 * spread * 9e-4 / 0.0196875;
      std::complex<double> sum = 0;
      for (const auto& point : series) sum += point.weight * std::polar(1.0, a * point.offset_A / spread);
      EXPECT_NEAR(std::abs(sum - std::exp(-a * a / 2)), 0, 0.011) << spread << ", " << series.size();
    }
  }
  EXPECT_EQ(focal_series(microscope(0)).size(), 1u);
}

/// 1.2 mm and 0.7 eV at 300 kV: 1.2e7 * 0.7 / 2.3548 / 3e5 * 1.5871 / 1.2935.
TEST(FocalSeries, ChromaticAberrationGivesTheSpread) {
  MicroscopeOptions m;
  m.Cc_A = 1.2e7;
  m.energy_spread_eV = 0.7;
  EXPECT_NEAR(focal_spread_A(m), 14.589, 0.002);
  m.focal_spread_A = 3;
  EXPECT_THROW(focal_spread_A(m), InputError);
  m.focal_spread_A = m.energy_spread_eV = 0;
  EXPECT_THROW(focal_spread_A(m), InputError);
}

/// The engine's image is the weighted mean of images in single foci; intensities are averaged before a centre
/// of mass is divided by what is transmitted.
TEST(FocalSeries, EngineAveragesIntensities) {
  BeamAtoms atoms;
  for (int i = -1; i <= 1; ++i) {
    atoms.atomic_number.push_back(40);
    atoms.position.emplace_back(2.1 * i, 0.4 * i, 3.0 * i);
    atoms.weight.push_back(1);
  }
  const std::vector<Vec2> probes{{0, 0}, {0.5, 0.2}, {1.7, -0.3}, {40, 0}};
  EngineSettings settings;
  settings.microscope = microscope(20);
  settings.microscope.focal_points = 3;
  settings.detectors = {{"adf", DetectorKind::annular, 39.4, 65, 1}, {"com", DetectorKind::com, 0, 0, 1}};
  settings.window_x_px = settings.window_y_px = 96;
  const auto run = [&](const EngineSettings& s) {
    TileEngine engine(s);
    Array<float, 2> out({probes.size(), engine.channels().count});
    engine.simulate(atoms, SliceGrid::covering(-4, 4, 2), probes, out);
    return out;
  };
  const auto together = run(settings);
  Array<double, 2> mean({probes.size(), 4});
  for (const auto& point : focal_series(settings.microscope)) {
    auto single = settings;
    single.microscope.focal_spread_A = 0;
    single.microscope.defocus_A = point.offset_A;
    const auto one = run(single);
    for (std::size_t p = 0; p < probes.size(); ++p) {
      const auto left = static_cast<double>(one(p, 3));
      mean(p, 0) += point.weight * static_cast<double>(one(p, 0));
      mean(p, 1) += point.weight * static_cast<double>(one(p, 1)) * left;
      mean(p, 2) += point.weight * static_cast<double>(one(p, 2)) * left;
      mean(p, 3) += point.weight * left;
    }
  }
  for (std::size_t p = 0; p < probes.size(); ++p) {
    EXPECT_NEAR(static_cast<double>(together(p, 0)), mean(p, 0), 1e-7) << p;
    EXPECT_NEAR(static_cast<double>(together(p, 1)), mean(p, 1) / mean(p, 3), 1e-5) << p;
    EXPECT_NEAR(static_cast<double>(together(p, 2)), mean(p, 2) / mean(p, 3), 1e-5) << p;
  }
}

}  // namespace
}  // namespace aetos::multislice
