#include "aetos/simulation/simulate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "aetos/atoms/thermal.hpp"
#include "aetos/core/error.hpp"
#include "aetos/io/hdf5.hpp"
#include "aetos/io/structure_files.hpp"
#include "support/shared_data.hpp"
#include "support/simulation_case.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::simulation {
namespace {

using test::read_images;
using test::relative_rms;
using test::SimulationCase;
using test::TemporaryFolder;

/// Runs a case on this process alone and returns the images of one signal.
std::vector<float> images(const SimulationCase& c, const std::string& signal = "adf_clean") {
  const TemporaryFolder folder;
  test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  return read_images(folder.path(), signal);
}

/// Seven atoms of a small cluster.
SimulationCase cluster() {
  SimulationCase c({{0, 0, 0},
                    {2.6, 0.3, 0.4},
                    {-2.5, 0.2, -0.6},
                    {0.2, 2.7, 0.5},
                    {-0.3, -2.6, 0.3},
                    {0.1, 0.4, 2.8},
                    {0.4, 0.1, -2.7}});
  c.scan.field_A = {{9, 9}};
  return c;
}

TEST(Simulate, OneAtomPeaksWhereTheRotationPutsIt) {
  for (double field : {10.0, 10.5}) {  // even and odd number of pixels
    SimulationCase c({{1.5, -2, 2}});
    c.scan.field_A = {{field, field}};
    c.tilts = {{0, 30, 0}, {10, 20, 30}};
    const auto series = images(c);
    const std::size_t n = static_cast<std::size_t>(field / 0.5);
    for (std::size_t t = 0; t < 2; ++t) {
      const Vec3 place = to_beam_frame(rotation_matrix(c.tilts[t]), c.specimen.position[0]);
      // Centroid of the peak; the image cuts the rings around it unevenly.
      const float peak = *std::max_element(series.begin() + static_cast<std::ptrdiff_t>(t * n * n),
                                           series.begin() + static_cast<std::ptrdiff_t>((t + 1) * n * n));
      double sum = 0, x = 0, y = 0;
      for (std::size_t j = 0; j < n; ++j)
        for (std::size_t i = 0; i < n; ++i) {
          const double v = series[(t * n + j) * n + i];
          if (v < 0.02 * static_cast<double>(peak)) continue;
          sum += v;
          x += v * 0.5 * (static_cast<double>(i) - static_cast<double>(n / 2));
          y += v * 0.5 * (static_cast<double>(j) - static_cast<double>(n / 2));
        }
      EXPECT_NEAR(x / sum, place.x(), 0.03) << field << " " << t;
      EXPECT_NEAR(y / sum, place.y(), 0.03) << field << " " << t;
    }
  }
}

TEST(Simulate, VacuumIsFlatAtAnyPixelPhase) {
  SimulationCase c({{0, 0, 0}});
  c.detectors = {{.name = "disc", .inner_mrad = 0, .outer_mrad = 22},
                 {.name = "adf", .inner_mrad = 28, .outer_mrad = 43}};
  c.scan.pixel_A = 0.37;
  c.scan.field_A = {{0.37, 40}};
  const TemporaryFolder folder;
  test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  const auto disc = read_images(folder.path(), "disc_clean"), adf = read_images(folder.path(), "adf_clean");
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_NEAR(disc[i], 1, 1e-6) << i;
    EXPECT_NEAR(adf[i], 0, 1e-6) << i;
  }
}

TEST(Simulate, PhononImageIsTheMeanOfItsConfigurations) {
  SimulationCase c = cluster();
  c.specimen_options.thermal.rms_displacement_A = 0.08;
  c.specimen_options.thermal.frozen_phonons = 3;
  const auto mean = images(c);
  // One configuration at a time: the atoms put where each configuration has them, and no motion.
  const auto model = atoms::thermal_model(c.specimen, c.specimen_options.thermal);
  std::vector<double> sum(mean.size());
  SimulationCase one = cluster();
  for (std::size_t k = 0; k < 3; ++k) {
    for (std::size_t i = 0; i < c.specimen.size(); ++i)
      one.specimen.position[i] = c.specimen.position[i] + model.displacement(c.seed, 0, k, i);
    const auto single = images(one);
    for (std::size_t p = 0; p < sum.size(); ++p) sum[p] += single[p] / 3.0;
  }
  const float largest = *std::max_element(mean.begin(), mean.end());
  for (std::size_t p = 0; p < sum.size(); ++p) EXPECT_NEAR(mean[p], sum[p], 1e-6 * largest);
}

TEST(Simulate, AnAtomOutsideItsLatticeIsKeptWhereItIs) {
  SimulationCase c = cluster();
  c.specimen.cell = Cell{Vec3(2, 2, 2).asDiagonal(), {false, false, false}};
  const auto sticking_out = images(c);
  c.specimen.cell = Cell{Vec3(60, 60, 60).asDiagonal(), {false, false, false}};
  EXPECT_EQ(images(c), sticking_out);
  c.specimen.cell.reset();
  EXPECT_EQ(images(c), sticking_out);
}

TEST(Simulate, OnePixelAndOneRowAreValidFiles) {
  SimulationCase c = cluster();
  c.microscope.source_fwhm_A = 0.8;
  c.microscope.dose_e_per_A2 = 1e4;
  c.scan.field_A = {{0.5, 0.5}};
  EXPECT_EQ(images(c, "adf_noisy").size(), 1u);
  c.scan.field_A = {{0.5, 6}};
  EXPECT_EQ(images(c, "adf_blurred").size(), 12u);
}

/// A disc that holds all of a beam through vacuum counts N; dark field counts nothing, and reads out its
/// offset.
TEST(Simulate, NoiseOfDetectorsIsInTheImagesAndInTheFile) {
  SimulationCase c({{0, 0, 0}});
  c.detectors = {{.name = "disc", .outer_mrad = 22, .gain_sd = 0.3},
                 {.name = "adf",
                  .inner_mrad = 28,
                  .outer_mrad = 43,
                  .offset_electrons = 7,
                  .read_noise_electrons = 1.5}};
  c.scan.field_A = {{10, 60}};
  c.microscope.screen_current_pA = 16.02176634;
  c.microscope.dwell_us = 1;  // 100 electrons
  const TemporaryFolder folder;
  test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  const auto statistics = [&](const std::string& signal) {
    const auto all = read_images(folder.path(), signal);
    std::vector<double> vacuum;
    for (std::size_t i = 0; i < all.size(); ++i)
      if (i % 120 < 40) vacuum.push_back(100 * static_cast<double>(all[i]));
    double mean = 0, variance = 0;
    for (double v : vacuum) mean += v / static_cast<double>(vacuum.size());
    for (double v : vacuum) variance += (v - mean) * (v - mean) / static_cast<double>(vacuum.size());
    return std::pair(mean, variance);
  };
  const auto [disc, disc_variance] = statistics("disc_noisy");
  EXPECT_NEAR(disc, 100, 1.5);
  EXPECT_NEAR(disc_variance, 109, 22);
  const auto [adf, adf_variance] = statistics("adf_noisy");
  EXPECT_NEAR(adf, 7, 0.22);
  EXPECT_NEAR(adf_variance, 2.25, 0.5);
  const auto info = io::read_tilt_series_info((folder.path() / "series.h5").string());
  EXPECT_EQ(info.microscope.numbers.at("adf_offset_electrons"), 7);
  EXPECT_EQ(info.microscope.numbers.at("disc_gain_sd"), 0.3);
}

/// Gold along [100]: a mirror of the crystal is a mirror of its image, to 1e-5 of its range, and a shift of
/// the specimen by a pixel shifts the image by one.
TEST(Simulate, AnFccCrystalAlong100HasItsSymmetryAndShifts) {
  SimulationCase c({});
  const double a = 4.08;
  for (int k = 0; k < 2; ++k)
    for (const Vec3& site : {Vec3(0, 0, 0), Vec3(0.5, 0.5, 0), Vec3(0.5, 0, 0.5), Vec3(0, 0.5, 0.5)})
      for (int j = 0; j < 3; ++j)
        for (int i = 0; i < 3; ++i) c.specimen.position.push_back(a * (site + Vec3(i, j, k)));
  c.specimen.atomic_number.assign(c.specimen.position.size(), 79);
  c.specimen.cell = Cell{Vec3(3 * a, 3 * a, 2 * a).asDiagonal(), {true, true, true}};
  c.multislice.sampling_A = 3 * a / 90;
  c.multislice.window = multislice::WindowFull{};
  c.scan.pixel_A = a / 10;
  c.scan.field_A = {{a, a}};  // ten pixels; the middle of pixel 5 is an atom column
  const auto image = images(c);
  ASSERT_EQ(image.size(), 100u);
  const auto at = [&](const std::vector<float>& of, int y, int x) {
    return static_cast<double>(of[static_cast<std::size_t>((y + 20) % 10 * 10 + (x + 20) % 10)]);
  };
  const double largest = *std::max_element(image.begin(), image.end());
  c.specimen.position = [&] {
    auto moved = c.specimen.position;
    for (Vec3& r : moved) r += Vec3(a / 10, 0, 0);
    return moved;
  }();
  const auto shifted = images(c);
  for (int y = -5; y < 5; ++y)
    for (int x = -5; x < 5; ++x) {
      const double value = at(image, 5 + y, 5 + x);
      EXPECT_NEAR(at(image, 5 + y, 5 - x), value, 1e-5 * largest) << x << " " << y;
      EXPECT_NEAR(at(image, 5 - y, 5 + x), value, 1e-5 * largest) << x << " " << y;
      EXPECT_NEAR(at(image, 5 + x, 5 + y), value, 1e-5 * largest) << x << " " << y;
      EXPECT_NEAR(at(image, 5 + y + 5, 5 + x + 5), value, 1e-5 * largest) << x << " " << y;
      EXPECT_NEAR(at(shifted, 5 + y, 5 + x + 1), value, 1e-5 * largest) << x << " " << y;
    }
}

/// 8 nm of ZrO2 along [100] on 0.0509 Å: of a probe on a zirconium column the band limit takes
/// 7.14 % in abTEM's multislice of exactly placed atoms.
TEST(Simulate, TheShareLostToTheBandLimitIsReported) {
  SimulationCase c({});
  const double a = 5.09;
  for (int k = 0; k < 16; ++k)
    for (int j = 0; j < 4; ++j)
      for (int i = 0; i < 4; ++i) {
        for (const Vec3& site : {Vec3(0, 0, 0), Vec3(0.5, 0.5, 0), Vec3(0.5, 0, 0.5), Vec3(0, 0.5, 0.5)})
          c.specimen.position.push_back(a * (site + Vec3(i, j, k + 0.125)));
        c.specimen.atomic_number.insert(c.specimen.atomic_number.end(), 4, 40);
        for (int o = 0; o < 8; ++o)
          c.specimen.position.push_back(
              a * Vec3(i + (o & 1 ? 0.75 : 0.25), j + (o & 2 ? 0.75 : 0.25), k + (o & 4 ? 0.875 : 0.375)));
        c.specimen.atomic_number.insert(c.specimen.atomic_number.end(), 8, 8);
      }
  c.specimen.cell = Cell{Vec3(4 * a, 4 * a, 16 * a).asDiagonal(), {true, true, false}};
  c.microscope.convergence_mrad = 30;
  c.microscope.focus_reference = multislice::FocusReference::entrance;
  c.detectors[0] = {.name = "adf", .inner_mrad = 39, .outer_mrad = 60};
  c.multislice.sampling_A = 4 * a / 400;
  c.multislice.slice_A = a / 4;
  c.multislice.window = multislice::WindowFull{};
  c.scan.field_A = {{0.5, 0.5}};
  const TemporaryFolder folder;
  const auto summary = test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  const auto& loss = summary.at("band_limit_loss");
  ASSERT_EQ(loss.at("mean").size(), 1u);
  EXPECT_EQ(loss.at("mean")[0], loss.at("largest")[0]);
  EXPECT_NEAR(loss.at("mean")[0].get<double>(), 1 - 0.92859677, 1e-5);
}

TEST(Simulate, APeriodicCellEqualsItsOwnRepetition) {
  SimulationCase c({{1, 1, 1}, {4, 2, 3}, {2, 5, 2}});
  c.specimen.cell = Cell{Vec3(7.2, 7.2, 6).asDiagonal(), {true, true, true}};
  c.scan.field_A = {{6, 6}};
  c.multislice.window = multislice::WindowWidth{7.2 * 3};
  SimulationCase big({});
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (const auto& r : c.specimen.position)
        big.specimen.position.push_back(r + Vec3(7.2 * i, 7.2 * j, 0));
  big.specimen.atomic_number.assign(big.specimen.position.size(), 40);
  big.specimen.cell = Cell{Vec3(21.6, 21.6, 6).asDiagonal(), {true, true, true}};
  big.scan = c.scan;
  big.multislice.window = multislice::WindowFull{};
  SimulationCase windowed = big;
  windowed.multislice.window = multislice::WindowWidth{14.4};
  const auto whole = images(big);
  // A window that is not the whole cell wraps its atoms round the cell's borders.
  EXPECT_LT(relative_rms(images(windowed), whole), 5e-3);
  SimulationCase moved = big;
  for (auto& r : moved.specimen.position) r += Vec3(7.2, -14.4, 0);
  EXPECT_LT(relative_rms(images(moved), whole), 1e-5);
  c.multislice.window = multislice::WindowFull{};
  EXPECT_EQ(images(c).size(), whole.size());
}

TEST(Simulate, AWideWindowEqualsTheFullCell) {
  SimulationCase c = cluster();
  c.scan.field_A = {{4, 4}};
  c.multislice.window = multislice::WindowFull{};
  c.specimen.cell = Cell{Vec3(38.4, 38.4, 38.4).asDiagonal(), {true, true, false}};
  const auto full = images(c);
  c.specimen.cell.reset();
  c.multislice.window = multislice::WindowWidth{38.4};
  EXPECT_LT(relative_rms(images(c), full), 1e-5);
}

TEST(Simulate, FinerProbesChangeTheBlurredImageOnly) {
  SimulationCase c = cluster();
  c.scan.field_A = {{5, 5}};
  c.microscope.source_fwhm_A = 0.8;
  const auto coarse = images(c, "adf_clean");
  c.scan.probe_step_A = 0.25;
  const TemporaryFolder folder;
  const auto summary = test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  EXPECT_EQ(summary.at("probes"), 19u * 19u);
  EXPECT_LT(relative_rms(read_images(folder.path(), "adf_clean"), coarse), 2e-3);
  EXPECT_GT(relative_rms(read_images(folder.path(), "adf_blurred"), coarse), 1e-2);
}

TEST(Simulate, SegmentsAddUpAndGiveAnIntegratedImage) {
  auto c = cluster();
  c.detectors = {{.name = "df4", .kind = multislice::DetectorKind::segmented, .outer_mrad = 20, .idpc = true},
                 {.name = "com", .kind = multislice::DetectorKind::com, .idpc = true},
                 {.name = "bf", .outer_mrad = 20}};
  c.microscope.dose_e_per_A2 = 1e6;
  const TemporaryFolder folder;
  test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  const auto bf = read_images(folder.path(), "bf_clean");
  std::vector<float> sum(bf.size());
  for (int s = 0; s < 4; ++s) {
    const auto segment = read_images(folder.path(), "df4_segment_00" + std::to_string(s) + "_clean");
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += segment[i];
  }
  EXPECT_LT(relative_rms(sum, bf), 1e-6);
  // The integrated images show the atoms: highest in the middle of the cluster, alike for both detectors.
  const auto idpc = read_images(folder.path(), "com_idpc_clean");
  const auto df4 = read_images(folder.path(), "df4_idpc_clean");
  EXPECT_EQ(*std::min_element(idpc.begin(), idpc.end()), 0);
  double product = 0, size = 0, other = 0;
  for (std::size_t i = 0; i < idpc.size(); ++i) {
    product += static_cast<double>(idpc[i]) * df4[i];
    size += static_cast<double>(idpc[i]) * idpc[i];
    other += static_cast<double>(df4[i]) * df4[i];
  }
  EXPECT_GT(product / std::sqrt(size * other), 0.98);
  EXPECT_LT(
      relative_rms(read_images(folder.path(), "com_x_noisy"), read_images(folder.path(), "com_x_clean")),
      0.2);
  EXPECT_GT(
      relative_rms(read_images(folder.path(), "com_x_noisy"), read_images(folder.path(), "com_x_clean")),
      1e-3);
  EXPECT_LT(relative_rms(read_images(folder.path(), "com_idpc_noisy"), idpc), 0.2);
  EXPECT_LT(relative_rms(read_images(folder.path(), "df4_idpc_noisy"), df4), 0.2);
}

std::vector<double> read_patterns(const std::filesystem::path& folder, const std::string& name) {
  const auto file = io::hdf5::open_for_reading((folder / kDiffractionFile).string());
  const io::hdf5::Group group(H5Gopen2(file.get(), ("/data/" + name).c_str(), H5P_DEFAULT));
  return io::hdf5::read_small(group.get(), "data");
}

TEST(Simulate, PatternsHoldAllThatIsTransmittedAtTheTiltsAskedFor) {
  auto c = cluster();
  c.scan.field_A = {{9, 8}};
  c.scan.probe_step_A = 0.25;
  c.tilts = {{0, 0, 0}, {0, 20, 0}};
  c.specimen_options.thermal.debye_waller_B_A2 = 0.3;
  c.specimen_options.thermal.frozen_phonons = 2;
  c.microscope.dose_e_per_A2 = 1e7;
  c.detectors = {{.name = "all", .outer_mrad = 43.7},
                 {.name = "cbed",
                  .kind = multislice::DetectorKind::pixelated,
                  .outer_mrad = 43.7,
                  .step_mrad = 4,
                  .tilts = {{1}}},
                 {.name = "adf", .inner_mrad = 25, .outer_mrad = 40}};
  const TemporaryFolder folder;
  test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  const auto all = read_images(folder.path(), "all_clean");
  const auto clean = read_patterns(folder.path(), "cbed_tilt001_clean"),
             noisy = read_patterns(folder.path(), "cbed_tilt001_noisy");
  const std::size_t pixels = 21 * 21, probes = 18 * 16;
  ASSERT_EQ(clean.size(), probes * pixels);
  for (std::size_t p = 0; p < probes; ++p) {
    double sum = 0, counted = 0;
    for (std::size_t q = 0; q < pixels; ++q) {
      sum += clean[p * pixels + q];
      counted += noisy[p * pixels + q];
    }
    EXPECT_NEAR(sum, static_cast<double>(all[probes + p]), 2e-4) << p;  // the second tilt
    EXPECT_NEAR(counted, sum, 0.01);
  }
  // Images do not depend on whether patterns are read.
  const auto with = read_images(folder.path(), "adf_noisy");
  c.detectors = {c.detectors[0], c.detectors[2]};
  EXPECT_EQ(images(c, "adf_noisy"), with);
}

TEST(Simulate, AResumeAfterATornJournalGivesTheSameImages) {
  SimulationCase c = cluster();
  c.tilts = {{}, {0, 40, 0}};
  c.microscope.dose_e_per_A2 = 1e5;
  const TemporaryFolder folder;
  const Communicator self(MPI_COMM_SELF);
  const auto first = test::run_simulation(c, self, folder.path());
  const auto noisy = read_images(folder.path(), "adf_noisy"), clean = read_images(folder.path(), "adf_clean");
  // Half of the journal is lost, in the middle of a record.
  for (const auto& entry : std::filesystem::directory_iterator(folder / "work"))
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 2 + 7);
  std::filesystem::remove(folder / "series.h5");
  const auto second = test::run_simulation(c, self, folder.path());
  EXPECT_EQ(read_images(folder.path(), "adf_noisy"), noisy);
  EXPECT_EQ(read_images(folder.path(), "adf_clean"), clean);
  EXPECT_LT(second.at("probe_slices"), first.at("probe_slices"));
  EXPECT_GT(second.at("probe_slices"), 0);
  SimulationCase other = c;
  other.seed = 8;
  EXPECT_NE(images(other, "adf_noisy"), noisy);
}

TEST(Simulate, AStopEndsItWithAllFinishedWorkOnDisk) {
  const SimulationCase c = cluster();
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "work");
  const Communicator self(MPI_COMM_SELF);
  Stop stop;
  stop.set_time_limit(std::chrono::duration<double>(0));
  const RunContext context{self, stop, folder.path(), folder / "work", std::string(64, 'a'), "", c.seed, 60};
  EXPECT_THROW(simulate(context, c.request(), folder / "series.h5"), Interrupted);
  EXPECT_FALSE(std::filesystem::exists(folder / "series.h5"));
}

TEST(Simulate, BadRequestsWriteNothing) {
  SimulationCase c = cluster();
  c.detectors[0].outer_mrad = 10;
  const TemporaryFolder folder;
  EXPECT_THROW(test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path()), InputError);
  EXPECT_TRUE(std::filesystem::is_empty(folder / "work"));
  EXPECT_FALSE(std::filesystem::exists(folder / "series.h5"));
  c = cluster();
  c.microscope.screen_current_pA = 15;
  EXPECT_THROW(estimate(c.request(), 1), InputError);
}

/// The smallest window that holds 0.5 % is chosen by the run itself; the whole cell tells how honest it was.
TEST(Window, ToleranceIsHeldAndStatedHonestly) {
  SimulationCase c({});
  c.specimen = io::read_structure((test::source_dir() / "configs/specimens/small.extxyz").string());
  c.microscope.convergence_mrad = 30;
  c.multislice.sampling_A = 0.1;
  c.detectors[0] = {.name = "adf", .inner_mrad = 39, .outer_mrad = 60};
  c.scan.pixel_A = 3;
  c.scan.field_A = {{21, 21}};
  c.multislice.window = multislice::WindowTolerance{0.005};
  const TemporaryFolder folder;
  const auto summary = test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  const auto windowed = read_images(folder.path(), "adf_clean");
  c.multislice.window = multislice::WindowFull{};
  const double measured = relative_rms(windowed, images(c));
  const double estimate = summary.at("window_error_estimate");
  std::printf("window of %d px: error %.2e, estimated %.2e\n", summary.at("window_px").get<int>(), measured,
              estimate);
  EXPECT_LE(measured, 0.005);
  EXPECT_LE(estimate, 0.005);
  EXPECT_LE(measured, estimate);
}

}  // namespace
}  // namespace aetos::simulation
