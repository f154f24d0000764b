#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/ranks.hpp"
#include "support/shared_folder.hpp"
#include "support/simulation_case.hpp"

/// Probes on the whole cell that several ranks share.
namespace aetos::simulation {
namespace {

test::SimulationCase few_probes() {
  test::SimulationCase c({{0, 0, 0}, {2.6, 0.3, 0.4}, {-7.5, 9.2, -4.6}, {0.2, -9.7, 3.5}});
  c.multislice.window = multislice::WindowFull{};
  c.detectors.push_back({.name = "dpc", .kind = multislice::DetectorKind::com, .idpc = true});
  c.detectors.push_back(
      {.name = "df4", .kind = multislice::DetectorKind::segmented, .inner_mrad = 5, .outer_mrad = 30});
  c.tilts = {{}, {0, 35, 0}};
  c.scan.field_A = {{2, 3}};
  c.microscope.C12_A = 20;
  c.microscope.focal_spread_A = 20;
  c.microscope.focal_points = 3;
  c.specimen_options.thermal.debye_waller_B_A2 = 0.3;
  return c;
}

std::vector<std::vector<float>> images_in(const std::filesystem::path& folder) {
  std::vector<std::vector<float>> images;
  for (const auto& signal : io::read_tilt_series_info((folder / "series.h5").string()).signals)
    images.push_back(test::read_images(folder, signal));
  return images;
}

/// To 1e-5 of each image's largest value.
void same_as_alone(const Communicator& comm, int ranks_per_wave) {
  const test::SharedFolder together(comm);
  auto c = few_probes();
  const test::TemporaryFolder folder;
  test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  const auto alone = images_in(folder.path());
  c.multislice.ranks_per_wave = ranks_per_wave;
  test::run_simulation(c, comm, together.path());
  const auto ours = images_in(together.path());
  EXPECT_EQ(ours.size(), 1 + 3 + 4u);
  for (std::size_t s = 0; s < ours.size(); ++s) {
    double worst = 0, largest = 0;
    for (std::size_t i = 0; i < ours[s].size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(ours[s][i]) - static_cast<double>(alone[s][i])));
      largest = std::max(largest, std::abs(static_cast<double>(alone[s][i])));
    }
    EXPECT_LT(worst, 1e-5 * largest) << s;
  }
}

TEST(FullWindowRanks, TwoRanksShareAProbe) {
  AETOS_RANKS(comm, 2);
  same_as_alone(comm, 2);
}

TEST(FullWindowRanks, FourRanksShareAProbe) {
  AETOS_RANKS(comm, 4);
  same_as_alone(comm, 4);
}

TEST(FullWindowRanks, TwoGroupsShareTheWork) {
  AETOS_RANKS(comm, 4);
  same_as_alone(comm, 2);
}

}  // namespace
}  // namespace aetos::simulation
