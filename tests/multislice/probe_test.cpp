#include "aetos/multislice/probe.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <fstream>
#include <sstream>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"
#include "support/shared_data.hpp"

namespace aetos::multislice {
namespace {

MicroscopeOptions microscope(double defocus_A, double C30_A, double C12_A, double C12_deg) {
  MicroscopeOptions m;
  m.convergence_mrad = 30;
  m.defocus_A = defocus_A;
  m.C30_A = C30_A;
  m.C12_A = C12_A;
  m.C12_deg = C12_deg;
  return m;
}

/// Intensity of the probe in the middle of the grid, sum 1.
Array<double, 2> probe_intensity(const MicroscopeOptions& m, const FftGrid& grid) {
  const Vec2 middle(static_cast<double>(grid.nx / 2) * grid.dx_A,
                    static_cast<double>(grid.ny / 2) * grid.dy_A);
  auto wave = probe_spectrum(m, m.defocus_A, grid, middle);
  auto* p = reinterpret_cast<fftw_complex*>(wave.data());
  const fft::PlanD plan(fftw_plan_dft_2d(static_cast<int>(grid.ny), static_cast<int>(grid.nx), p, p,
                                         FFTW_BACKWARD, FFTW_ESTIMATE));
  fftw_execute(plan.get());
  Array<double, 2> intensity(wave.shape());
  for (std::size_t i = 0; i < wave.size(); ++i)
    intensity.data()[i] = std::norm(wave.data()[i]) / static_cast<double>(grid.size());
  return intensity;
}

TEST(Probe, IntensityAgreesWithAbtemInFocusAndWithAberrations) {
  AETOS_NEEDS_SHARED("multislice/probe.csv");
  const FftGrid grid{400, 400, 0.05, 0.05};
  const MicroscopeOptions cases[] = {microscope(0, 0, 0, 0),    microscope(100, 0, 0, 0),
                                     microscope(-100, 0, 0, 0), microscope(0, 1e4, 0, 0),
                                     microscope(0, 1e7, 0, 0),  microscope(500, 1e7, 0, 0),
                                     microscope(0, 0, 100, 30)};
  std::vector<Array<double, 2>> ours;
  for (const auto& m : cases) ours.push_back(probe_intensity(m, grid));
  std::ifstream file(test::shared_data("multislice/probe.csv"));
  std::string line;
  std::getline(file, line);
  double worst[7] = {}, highest[7] = {};
  std::size_t rows = 0;
  for (; std::getline(file, line); ++rows) {
    std::istringstream row(line);
    double x = 0, expected = 0;
    char comma = 0;
    row >> x;
    for (std::size_t c = 0; c < 7; ++c) {
      row >> comma >> expected;
      const auto i = static_cast<std::size_t>(std::lround(x / grid.dx_A) + 200);
      worst[c] = std::max(worst[c], std::abs(ours[c](200, i) - expected));
      highest[c] = std::max(highest[c], expected);
    }
  }
  EXPECT_EQ(rows, 200u);
  for (std::size_t c = 0; c < 7; ++c) EXPECT_LT(worst[c] / highest[c], 1e-5) << "column " << c;
}

/// Underfocus equal to C12 cancels the phase along C12_deg: the probe is sharp there and long across.
TEST(Probe, AstigmatismPointsAlongItsAngle) {
  const FftGrid grid{256, 200, 0.08, 0.1};
  for (const double degrees : {0.0, 30.0, 60.0, 135.0}) {
    const auto intensity = probe_intensity(microscope(100, 0, 100, degrees), grid);
    double along = 0, across = 0;
    const double c = std::cos(radians(degrees)), s = std::sin(radians(degrees));
    for (std::size_t j = 0; j < grid.ny; ++j)
      for (std::size_t i = 0; i < grid.nx; ++i) {
        const double x = (static_cast<double>(i) - 128) * grid.dx_A,
                     y = (static_cast<double>(j) - 100) * grid.dy_A;
        if (std::hypot(x, y) > 8) continue;
        along += intensity(j, i) * std::abs(c * x + s * y);
        across += intensity(j, i) * std::abs(c * y - s * x);
      }
    EXPECT_GT(across / along, 3) << degrees << " degrees";
  }
}

/// Powers of the complex angle w = a exp(i phi) written out: a^(n+1-m) Re(w^m exp(-i m phi_nm)) / (n + 1).
TEST(Probe, AberrationsAreKrivaneksPolynomials) {
  const double lambda = electron_wavelength_A(300);
  for (const auto& term : kAberrations) {
    MicroscopeOptions m;
    m.*term.size_A = 1e5;
    if (term.direction_deg) m.*term.direction_deg = 23;
    for (const auto& [x, y] : {std::pair{0.02, 0.0}, {0.011, -0.023}, {-0.004, 0.018}, {0.0, 0.0}}) {
      std::complex<double> power = 1;
      for (int i = 0; i < term.m; ++i) power *= std::complex<double>(x, y);
      const double symmetric = std::pow(x * x + y * y, (term.n + 1 - term.m) / 2);
      const double turned = (power * std::polar(1.0, -term.m * radians(term.direction_deg ? 23 : 0))).real();
      const double expected = 2 * kPi / lambda * 1e5 / (term.n + 1) * symmetric * turned;
      EXPECT_NEAR(aberration_phase(m, 0, x / lambda, y / lambda), expected, 1e-9 * std::abs(expected) + 1e-12)
          << term.name;
    }
  }
}

/// A pure aberration of m-fold symmetry gives a probe that turns into itself; of 4 and 2 folds the grid too.
TEST(Probe, HasTheSymmetryOfItsAberration) {
  const FftGrid grid{128, 128, 0.1, 0.1};
  for (const auto& [name, folds] : {std::pair{"C34", 4}, {"C54", 4}, {"C32", 2}, {"C52", 2}, {"C56", 2}}) {
    auto m = microscope(0, 0, 0, 0);
    for (const auto& term : kAberrations)
      if (std::string(term.name) == name) {
        m.*term.size_A = 400 / std::pow(0.03, term.n - 1);
        m.*term.direction_deg = 10;
      }
    const auto v = probe_intensity(m, grid);
    double same = 0, mirrored = 0, highest = 0;
    for (std::size_t j = 1; j < 128; ++j)
      for (std::size_t i = 1; i < 128; ++i) {
        const double turned = folds == 4 ? v(i, 128 - j) : v(128 - j, 128 - i);
        same = std::max(same, std::abs(v(j, i) - turned));
        mirrored = std::max(mirrored, std::abs(v(j, i) - v(j, 128 - i)));
        highest = std::max(highest, v(j, i));
      }
    EXPECT_LT(same / highest, 1e-9) << name;
    EXPECT_GT(mirrored / highest, 1e-3) << name;
  }
}

TEST(Probe, RaysPassWhereTheAberrationsSendThem) {
  EXPECT_NEAR(ray_radius_A(microscope(100, 0, 0, 0), 100), 3, 1e-9);
  EXPECT_NEAR(ray_radius_A(microscope(0, 1e7, 0, 0), 0), 270, 1e-6);
  // Defocus and spherical aberration of opposite sign: the farthest ray is not that of the edge.
  EXPECT_NEAR(ray_radius_A(microscope(0, 1e6, 0, 0), 900), 2. / 3 * 900 * std::sqrt(900 / 3e6), 0.05);
  auto coma = microscope(0, 0, 0, 0);
  coma.C21_A = 3000;
  EXPECT_NEAR(ray_radius_A(coma, 0), 3000 * 9e-4, 1e-9);
}

/// A tilted beam crosses the reference plane at its place and moves by tilt times the way to another plane.
TEST(Probe, ATiltedBeamMovesWithDepth) {
  const FftGrid grid{256, 256, 0.1, 0.1};
  auto m = microscope(0, 0, 0, 0);
  m.convergence_mrad = 15;
  m.beam_tilt_mrad = {12, -5};
  for (const double way : {0.0, 80.0}) {
    const Vec2 middle(12.8, 12.8);
    auto wave = probe_spectrum(m, way, grid, middle);
    auto* p = reinterpret_cast<fftw_complex*>(wave.data());
    double kx = 0, ky = 0;
    for (std::size_t j = 0; j < 256; ++j)
      for (std::size_t i = 0; i < 256; ++i) {
        kx += std::norm(wave(j, i)) * grid.kx(i);
        ky += std::norm(wave(j, i)) * grid.ky(j);
      }
    EXPECT_NEAR(kx * electron_wavelength_A(300) * 1e3, 12, 0.02);
    EXPECT_NEAR(ky * electron_wavelength_A(300) * 1e3, -5, 0.02);
    const fft::PlanD plan(fftw_plan_dft_2d(256, 256, p, p, FFTW_BACKWARD, FFTW_ESTIMATE));
    fftw_execute(plan.get());
    double sum = 0, x = 0, y = 0;
    for (std::size_t j = 28; j < 228; ++j)
      for (std::size_t i = 28; i < 228; ++i) {
        sum += std::norm(wave(j, i));
        x += std::norm(wave(j, i)) * (static_cast<double>(i) - 128) * 0.1;
        y += std::norm(wave(j, i)) * (static_cast<double>(j) - 128) * 0.1;
      }
    // Before the plane, by the underfocus `way`.
    EXPECT_NEAR(x / sum, -12e-3 * way, 0.03);
    EXPECT_NEAR(y / sum, 5e-3 * way, 0.03);
  }
}

TEST(Probe, OfAWindowIsTheProbeOfTheWholeCellInside) {
  const FftGrid window{128, 96, 0.1, 0.1}, cell{200, 200, 0.2, 0.2};
  const auto m = microscope(20, 0, 0, 0);
  auto wave = window_probe_spectrum(m, 20, window, cell, {true, true});
  double sum = 0;
  for (const auto& v : wave) sum += std::norm(v);
  const auto whole_intensity = probe_intensity(m, cell);
  double within = 0;
  for (std::size_t j = 100 - 24; j < 100 + 24; ++j)
    for (std::size_t i = 100 - 32; i < 100 + 32; ++i) within += whole_intensity(j, i);
  EXPECT_NEAR(sum, within, 1e-3);
  EXPECT_LT(sum, 0.996);
  auto* p = reinterpret_cast<fftw_complex*>(wave.data());
  const fft::PlanD plan(fftw_plan_dft_2d(96, 128, p, p, FFTW_BACKWARD, FFTW_ESTIMATE));
  fftw_execute(plan.get());
  const auto whole = probe_intensity(m, cell);  // pixel (100, 100) is the probe
  const double scale = std::norm(wave(0, 0)) / whole(100, 100);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_NEAR(std::norm(wave(0, 2 * i)) / scale, whole(100, 100 + i), 2e-3 * whole(100, 100)) << i;
}

TEST(Probe, RefusesAnApertureBeyondTheBandLimit) {
  EXPECT_THROW(probe_spectrum(microscope(0, 0, 0, 0), 0, {64, 64, 0.25, 0.25}, Vec2(0, 0)), InputError);
}

}  // namespace
}  // namespace aetos::multislice
