#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "aetos/io/hdf5.hpp"
#include "support/ranks.hpp"
#include "support/shared_folder.hpp"
#include "support/simulation_case.hpp"

namespace aetos::simulation {
namespace {

using multislice::DetectorKind;

/// Two tilts and configurations of a few atoms in vacuum, with blur, noise, a focal series and patterns, in a
/// cell that is larger than what a rank of two builds its potentials on.
test::SimulationCase small_series(int ranks_per_wave) {
  test::SimulationCase c({{0, 0, 0}, {2.6, 0.3, 0.4}, {-7.5, 9.2, -4.6}, {0.2, -9.7, 3.5}});
  c.multislice.mode = multislice::Mode::plane_wave;
  c.multislice.ranks_per_wave = ranks_per_wave;
  c.detectors = {{.name = "bright", .kind = DetectorKind::image, .outer_mrad = 20},
                 {.name = "dark", .kind = DetectorKind::image, .inner_mrad = 8, .outer_mrad = 25},
                 {.name = "saed", .kind = DetectorKind::pixelated, .outer_mrad = 40, .step_mrad = 4}};
  c.tilts = {{}, {0, 35, 0}};
  c.scan.pixel_A = 0.3;
  c.scan.field_A = {{40, 32}};
  c.specimen_options.thermal.debye_waller_B_A2 = 0.3;
  c.specimen_options.thermal.frozen_phonons = 2;
  c.microscope.defocus_A = 100;
  c.microscope.C30_A = 1e4;
  c.microscope.focal_spread_A = 20;
  c.microscope.focal_points = 3;
  c.microscope.beam_tilt_mrad = {2, 0};
  c.microscope.source_fwhm_A = 0.6;
  return c;
}

std::vector<float> everything_in(const std::filesystem::path& folder) {
  std::vector<float> all;
  for (const auto& signal : io::read_tilt_series_info((folder / "series.h5").string()).signals) {
    const auto values = test::read_images(folder, signal);
    all.insert(all.end(), values.begin(), values.end());
  }
  const auto file = io::hdf5::open_for_reading((folder / kDiffractionFile).string());
  for (const char* name : {"saed_tilt000_clean", "saed_tilt001_clean"}) {
    const io::hdf5::Group group(H5Gopen2(file.get(), (std::string("/data/") + name).c_str(), H5P_DEFAULT));
    for (const double v : io::hdf5::read_small(group.get(), "data")) all.push_back(static_cast<float>(v));
  }
  return all;
}

/// Largest difference; images of vacuum are 1, patterns fractions of the beam.
void expect_close(const std::vector<float>& ours, const std::vector<float>& alone) {
  ASSERT_EQ(ours.size(), alone.size());
  double worst = 0;
  for (std::size_t i = 0; i < ours.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(ours[i]) - static_cast<double>(alone[i])));
  EXPECT_LT(worst, 1e-5);
}

std::vector<float> of_one_rank() {
  const test::TemporaryFolder folder;
  test::run_simulation(small_series(1), Communicator(MPI_COMM_SELF), folder.path());
  return everything_in(folder.path());
}

void same_as_alone(const Communicator& comm, int ranks_per_wave) {
  const test::SharedFolder together(comm);
  const auto summary = test::run_simulation(small_series(ranks_per_wave), comm, together.path());
  EXPECT_EQ(summary.at("ranks_per_wave"), ranks_per_wave);
  expect_close(everything_in(together.path()), of_one_rank());
}

TEST(PlaneWaveRanks, TwoRanksShareAWave) {
  AETOS_RANKS(comm, 2);
  same_as_alone(comm, 2);
}

TEST(PlaneWaveRanks, FourRanksShareAWave) {
  AETOS_RANKS(comm, 4);
  same_as_alone(comm, 4);
}

TEST(PlaneWaveRanks, TwoGroupsOfTwoShareTheWork) {
  AETOS_RANKS(comm, 4);
  same_as_alone(comm, 2);
}

/// One rank to a wave: the same bits, however many work side by side.
TEST(PlaneWaveRanks, RanksSideBySideGiveTheBitsOfOne) {
  AETOS_RANKS(comm, 3);
  const test::SharedFolder together(comm);
  test::run_simulation(small_series(1), comm, together.path());
  EXPECT_TRUE(everything_in(together.path()) == of_one_rank());
}

TEST(PlaneWaveRanks, WorkOfOneRankIsFinishedByAGroup) {
  AETOS_RANKS(comm, 2);
  const test::SharedFolder folder(comm);
  if (comm.is_root()) {
    test::run_simulation(small_series(1), Communicator(MPI_COMM_SELF), folder.path());
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "work"))
      std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 3);
  }
  comm.barrier();
  test::run_simulation(small_series(2), comm, folder.path());
  expect_close(everything_in(folder.path()), of_one_rank());
}

}  // namespace
}  // namespace aetos::simulation
