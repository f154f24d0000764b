#include "aetos/simulation/plane_wave.hpp"

#include <gtest/gtest.h>

#include <complex>
#include <numeric>

#include "aetos/core/error.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/core/units.hpp"
#include "aetos/io/hdf5.hpp"
#include "aetos/multislice/probe.hpp"
#include "aetos/multislice/scattering.hpp"
#include "aetos/simulation/convergence.hpp"
#include "aetos/simulation/plane_wave_plan.hpp"
#include "aetos/simulation/wave_group.hpp"
#include "support/simulation_case.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::simulation {
namespace {

using multislice::DetectorKind;
using Complex = std::complex<double>;

test::SimulationCase plane_wave(const std::vector<Vec3>& atoms) {
  test::SimulationCase c(atoms);
  c.multislice.mode = multislice::Mode::plane_wave;
  c.multislice.window = multislice::WindowTolerance{};
  c.detectors = {{.name = "hrtem", .kind = DetectorKind::image, .outer_mrad = 18}};
  c.scan.pixel_A = 0.25;
  c.multislice.sampling_A = 0.125;
  return c;
}

std::vector<float> images(const test::SimulationCase& c, const std::string& signal = "hrtem_clean") {
  const test::TemporaryFolder folder;
  test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  return test::read_images(folder.path(), signal);
}

/// A whole cell in double precision by FFTW, with the sum over the atoms of each slice written out: an
/// independent multislice of the same physics.
class Cell {
 public:
  Cell(const multislice::FftGrid& grid, const multislice::MicroscopeOptions& microscope)
      : grid_(grid), microscope_(microscope), wave_(grid.size(), 1.0) {}

  void slice(const std::vector<Vec2>& atoms, double thickness_A) {
    const double constant =
        kPotentialConstant_VA2 / (static_cast<double>(grid_.size()) * grid_.dx_A * grid_.dy_A);
    std::vector<Complex> v(grid_.size());
    for_k([&](std::size_t i, double kx, double ky) {
      const double f =
          multislice::scattering_factor_A(multislice::Parametrization::kirkland, 40, kx * kx + ky * ky);
      for (const Vec2& r : atoms)
        v[i] += constant * f * std::polar(1.0, -2 * kPi * (kx * r.x() + ky * r.y()));
    });
    transform(v, FFTW_BACKWARD);
    for (Complex& value : v)
      value = std::polar(1.0, interaction_constant_rad_VA(microscope_.voltage_kV) * value.real());
    filter(v, [&](double kx, double ky) { return Complex(limit(kx, ky)); });
    for (std::size_t i = 0; i < v.size(); ++i) wave_[i] *= v[i];
    filter(wave_, [&](double kx, double ky) { return limit(kx, ky) * way(thickness_A, kx, ky); });
  }

  std::vector<double> image(double aperture_mrad, double back_A) const {
    auto lens = microscope_;
    lens.convergence_mrad = aperture_mrad;
    auto wave = wave_;
    filter(wave, [&](double kx, double ky) {
      return multislice::aperture_amplitude(lens, grid_, kx, ky) * way(-back_A, kx, ky) *
             std::polar(1.0, -multislice::aberration_phase(lens, lens.defocus_A, kx, ky));
    });
    std::vector<double> intensity;
    for (const Complex& value : wave) intensity.push_back(std::norm(value));
    return intensity;
  }

 private:
  double limit(double kx, double ky) const {
    return multislice::BandLimit::of(grid_.dx_A, grid_.dy_A)(std::hypot(kx, ky));
  }
  Complex way(double z, double kx, double ky) const {
    return std::polar(1.0, -kPi * electron_wavelength_A(microscope_.voltage_kV) * z * (kx * kx + ky * ky));
  }
  template <class Visit>
  void for_k(Visit visit) const {
    for (std::size_t j = 0; j < grid_.ny; ++j)
      for (std::size_t i = 0; i < grid_.nx; ++i) visit(j * grid_.nx + i, grid_.kx(i), grid_.ky(j));
  }
  void transform(std::vector<Complex>& values, int sign) const {
    auto* p = reinterpret_cast<fftw_complex*>(values.data());
    const fft::PlanD plan(
        fftw_plan_dft_2d(static_cast<int>(grid_.ny), static_cast<int>(grid_.nx), p, p, sign, FFTW_ESTIMATE));
    fftw_execute(plan.get());
  }
  template <class Factor>
  void filter(std::vector<Complex>& values, Factor factor) const {
    transform(values, FFTW_FORWARD);
    for_k([&](std::size_t i, double kx, double ky) {
      values[i] *= factor(kx, ky) / static_cast<double>(grid_.size());
    });
    transform(values, FFTW_BACKWARD);
  }

  multislice::FftGrid grid_;
  multislice::MicroscopeOptions microscope_;
  std::vector<Complex> wave_;
};

TEST(PlaneWave, ImageAgreesWithAnIndependentMultislice) {
  auto c = plane_wave({{-2, 1, 0.5}, {1.3, -2.2, 0.9}, {2.1, 2.4, 4.5}, {0.2, 0.1, 7}});
  c.specimen.cell = aetos::Cell{Vec3(12, 12, 10).asDiagonal(), {true, true, true}};
  c.microscope.defocus_A = 60;
  c.microscope.C30_A = 1e5;
  c.microscope.C21_A = 500;
  c.microscope.C21_deg = 40;
  c.specimen.cell->periodic = {true, true, false};
  const auto ours = images(c);
  ASSERT_EQ(ours.size(), 48 * 48u);  // pixels of 2 x 2 samples

  // Slices 0-2, 2-4, 4-6, 6-8 Å; the middle of pixel (24, 24) is the rotation centre.
  Cell cell({96, 96, 0.125, 0.125}, c.microscope);
  const auto at = [](double x, double y) { return Vec2(x + 48.5 * 0.125, y + 48.5 * 0.125); };
  cell.slice({at(-2, 1), at(1.3, -2.2)}, 2);
  cell.slice({}, 2);
  cell.slice({at(2.1, 2.4)}, 2);
  cell.slice({at(0.2, 0.1)}, 2);
  const auto theirs = cell.image(18, 8);
  double worst = 0, contrast = 0;
  for (std::size_t y = 0; y < 48; ++y)
    for (std::size_t x = 0; x < 48; ++x) {
      double mean = 0;
      for (std::size_t j = 0; j < 2; ++j)
        for (std::size_t i = 0; i < 2; ++i) mean += theirs[(2 * y + j) * 96 + 2 * x + i] / 4;
      worst = std::max(worst, std::abs(static_cast<double>(ours[y * 48 + x]) - mean));
      contrast = std::max(contrast, std::abs(mean - 1));
    }
  std::printf("    largest difference %.1e, contrast %.2f\n", worst, contrast);
  EXPECT_GT(contrast, 0.1);
  EXPECT_LT(worst, 1e-5);
}

/// Scherzer's conditions: with positive C30 and 1.2 sqrt(C30 lambda) of underfocus atoms are dark, with as
/// much overfocus bright.
TEST(PlaneWave, AtomsAreDarkAtScherzerUnderfocus) {
  auto c = plane_wave({{0, 0, 0}});
  c.detectors[0].outer_mrad = 17;
  c.microscope.C30_A = 1e6;
  c.scan.field_A = {{20, 20}};
  c.microscope.defocus_A = 1.2 * std::sqrt(1e6 * electron_wavelength_A(300));
  const auto under = images(c);
  const std::size_t centre = 40 * 80 + 40;
  EXPECT_LT(under[centre], 0.8);
  EXPECT_EQ(std::min_element(under.begin(), under.end()) - under.begin(),
            static_cast<std::ptrdiff_t>(centre));
  EXPECT_NEAR(under[0], 1, 0.02);
  c.microscope.C30_A = 0;
  c.microscope.defocus_A = -60;
  EXPECT_GT(images(c)[centre], 1.05);
}

TEST(PlaneWave, AShiftByAPixelShiftsTheImageByAPixel) {
  auto c = plane_wave({{-2, 1, 0.5}, {1.3, -2.2, 0.9}, {2.1, 2.4, 4.5}});
  c.specimen.cell = aetos::Cell{Vec3(12, 12, 10).asDiagonal(), {true, true, false}};
  const auto before = images(c);
  for (Vec3& r : c.specimen.position) r += Vec3(0.25, -0.25, 0);
  const auto after = images(c);
  for (std::size_t y = 0; y < 48; ++y)
    for (std::size_t x = 0; x < 48; ++x)
      EXPECT_NEAR(after[(y + 47) % 48 * 48 + (x + 1) % 48], before[y * 48 + x], 1e-5);
}

TEST(PlaneWave, PatternsHoldWhatIsTransmittedAndNoiseHoldsItsDose) {
  auto c = plane_wave({{0, 0, 0}, {1.5, 1.5, 0}, {-1.5, -1.5, 0}});
  c.specimen.cell = aetos::Cell{Vec3(6, 6, 5).asDiagonal(), {true, true, false}};
  c.detectors.push_back({.name = "saed", .kind = DetectorKind::pixelated, .outer_mrad = 52, .step_mrad = 2});
  c.specimen_options.thermal.debye_waller_B_A2 = 0.3;
  c.specimen_options.thermal.frozen_phonons = 2;
  c.microscope.dose_e_per_A2 = 1e6;
  const test::TemporaryFolder folder;
  const auto summary = test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  EXPECT_EQ(summary.at("mode"), "plane_wave");
  EXPECT_EQ(summary.at("probe_slices"), 2 * summary.at("slices").get<int>());
  const auto file = io::hdf5::open_for_reading((folder.path() / kDiffractionFile).string());
  const auto pattern = [&](const char* name) {
    const io::hdf5::Group group(H5Gopen2(file.get(), (std::string("/data/") + name).c_str(), H5P_DEFAULT));
    return io::hdf5::read_small(group.get(), "data");
  };
  const auto clean = pattern("saed_tilt000_clean"), noisy = pattern("saed_tilt000_noisy");
  ASSERT_EQ(clean.size(), 53 * 53u);
  EXPECT_EQ(std::max_element(clean.begin(), clean.end()) - clean.begin(), 26 * 53 + 26);
  const double total = std::accumulate(clean.begin(), clean.end(), 0.0);
  EXPECT_LT(total, 1);
  EXPECT_GT(total, 0.99);
  EXPECT_NEAR(std::accumulate(noisy.begin(), noisy.end(), 0.0), total, 1e-3);
  const auto image = test::read_images(folder.path(), "hrtem_noisy");
  const double mean = std::accumulate(image.begin(), image.end(), 0.0) / static_cast<double>(image.size());
  EXPECT_NEAR(mean, 1, 0.05);
  const auto info = io::read_tilt_series_info((folder.path() / "series.h5").string());
  EXPECT_EQ(info.microscope.texts.at("mode"), "plane_wave");
  EXPECT_EQ(info.microscope.texts.at("hrtem_kind"), "image");
}

TEST(PlaneWave, WhatMakesNoSenseIsRefused) {
  const auto refused = [](const test::SimulationCase& c) {
    EXPECT_THROW(estimate(c.request(), 1), InputError);
  };
  auto c = plane_wave({{0, 0, 0}});
  EXPECT_NO_THROW(estimate(c.request(), 1));
  c.detectors.push_back({.name = "adf", .inner_mrad = 20, .outer_mrad = 40});
  refused(c);
  c = plane_wave({{0, 0, 0}});
  c.multislice.slicing = multislice::Slicing::finite;
  refused(c);
  c = plane_wave({{0, 0, 0}});
  c.multislice.mode = multislice::Mode::probe;
  refused(c);
  c = plane_wave({{0, 0, 0}});
  c.specimen.cell = aetos::Cell{Vec3(10, 10.1, 5).asDiagonal(), {true, true, false}};
  refused(c);
  EXPECT_THROW(
      convergence_study(Communicator(MPI_COMM_SELF), Stop(), plane_wave({{0, 0, 0}}).request(), 1e12),
      InputError);
}

TEST(PlaneWave, MemoryFallsWithTheRanks) {
  const multislice::FftGrid grid{8192, 8192, 0.1, 0.1};
  const double alone = WaveGroup::bytes(grid, 1);
  EXPECT_LT(WaveGroup::bytes(grid, 2), 0.6 * alone);
  EXPECT_LT(WaveGroup::bytes(grid, 8), 0.2 * alone);
  auto c = plane_wave({{0, 0, 0}, {400, 0, 0}});
  const auto large = c.request();
  const auto wave = make_plane_wave_plan(large);
  EXPECT_GE(wave.ranks_per_wave, 2u);
  EXPECT_EQ(group_size(wave, 1), 1u);
  EXPECT_LT(plane_wave_bytes(wave, wave.ranks_per_wave), 1024.0 * 1048576);
}

}  // namespace
}  // namespace aetos::simulation
