#include "aetos/simulation/simulate.hpp"

#include <gtest/gtest.h>

#include "aetos/core/error.hpp"
#include "aetos/io/hdf5.hpp"
#include "aetos/simulation/convergence.hpp"
#include "support/ranks.hpp"
#include "support/shared_folder.hpp"
#include "support/simulation_case.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::simulation {
namespace {

/// Two tilts, thermal motion, blur and noise, and a window that the run chooses itself.
test::SimulationCase small_series() {
  test::SimulationCase c({{0, 0, 0}, {2.6, 0.3, 0.4}, {-2.5, 0.2, -0.6}, {0.2, 2.7, 0.5}});
  c.tilts = {{}, {0, 35, 0}};
  c.scan.field_A = {{7, 8}};
  c.detectors.push_back(
      {.name = "rings", .kind = multislice::DetectorKind::radial, .outer_mrad = 40, .step_mrad = 10});
  c.specimen_options.thermal.debye_waller_B_A2 = 0.3;
  c.specimen_options.thermal.frozen_phonons = 2;
  c.microscope.source_fwhm_A = 0.8;
  c.microscope.dose_e_per_A2 = 1e5;
  c.multislice.window = multislice::WindowTolerance{0.02};
  return c;
}

/// Everything that a series holds, and the summary's choice of window.
struct Outcome {
  std::vector<std::vector<float>> images;
  std::vector<double> patterns;
  double window_px = 0, error = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome_in(const std::filesystem::path& folder, const nlohmann::json& summary) {
  Outcome outcome;
  for (const auto& signal : io::read_tilt_series_info((folder / "series.h5").string()).signals)
    outcome.images.push_back(test::read_images(folder, signal));
  if (std::filesystem::exists(folder / kDiffractionFile)) {
    const auto file = io::hdf5::open_for_reading((folder / kDiffractionFile).string());
    for (const char* name : {"cbed_tilt001_clean", "cbed_tilt001_noisy"}) {
      const io::hdf5::Group group(H5Gopen2(file.get(), (std::string("/data/") + name).c_str(), H5P_DEFAULT));
      const auto values = io::hdf5::read_small(group.get(), "data");
      outcome.patterns.insert(outcome.patterns.end(), values.begin(), values.end());
    }
  }
  outcome.window_px = summary.at("window_px");
  outcome.error = summary.at("window_error_estimate");
  return outcome;
}

void same_as_alone(const Communicator& comm, const test::SimulationCase& c = small_series(),
                   std::size_t signals = 5) {
  const test::SharedFolder together(comm);
  const auto outcome = outcome_in(together.path(), test::run_simulation(c, comm, together.path()));
  const test::TemporaryFolder folder;
  const auto alone =
      outcome_in(folder.path(), test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path()));
  EXPECT_EQ(outcome.images.size(), signals * 3);  // clean, blurred, noisy; adf and four rings
  EXPECT_TRUE(outcome == alone);
}

TEST(SimulationRanks, TwoRanksGiveTheBitsOfOne) {
  AETOS_RANKS(comm, 2);
  same_as_alone(comm);
}

TEST(SimulationRanks, ThreeRanksGiveTheBitsOfOne) {
  AETOS_RANKS(comm, 3);
  same_as_alone(comm);
}

TEST(SimulationRanks, FourRanksGiveTheBitsOfOne) {
  AETOS_RANKS(comm, 4);
  same_as_alone(comm);
}

/// The same with every feature that adds channels or waves.
test::SimulationCase optics_series() {
  auto c = small_series();
  c.multislice.slicing = multislice::Slicing::finite;
  c.microscope.C21_A = 300;
  c.microscope.C34_A = 1e5;
  c.microscope.beam_tilt_mrad = {2, -1};
  c.microscope.focal_spread_A = 15;
  c.microscope.focal_points = 3;
  c.detectors[0].gain_sd = 0.2;
  c.detectors[0].read_noise_electrons = 1;
  c.detectors.push_back({.name = "df4",
                         .kind = multislice::DetectorKind::segmented,
                         .inner_mrad = 5,
                         .outer_mrad = 25,
                         .idpc = true});
  c.detectors.push_back({.name = "dpc", .kind = multislice::DetectorKind::com, .idpc = true});
  c.detectors.push_back({.name = "cbed",
                         .kind = multislice::DetectorKind::pixelated,
                         .outer_mrad = 30,
                         .step_mrad = 5,
                         .tilts = {{1}}});
  return c;
}
/// adf, four rings, four segments, their two components and iDPC, two components and iDPC.
constexpr std::size_t kOpticsSignals = 5 + 7 + 3;

TEST(SimulationRanks, OpticsAndFiniteSlicesAreTheSameOnTwoRanks) {
  AETOS_RANKS(comm, 2);
  same_as_alone(comm, optics_series(), kOpticsSignals);
}

TEST(SimulationRanks, OpticsAndFiniteSlicesAreTheSameOnThreeRanks) {
  AETOS_RANKS(comm, 3);
  same_as_alone(comm, optics_series(), kOpticsSignals);
}

TEST(SimulationRanks, OpticsAndFiniteSlicesAreTheSameOnFourRanks) {
  AETOS_RANKS(comm, 4);
  same_as_alone(comm, optics_series(), kOpticsSignals);
}

TEST(SimulationRanks, ErrorBudgetAndConvergenceStudyAreTheSameOnThreeRanks) {
  AETOS_RANKS(comm, 3);
  auto c = small_series();
  c.multislice.window = multislice::WindowWidth{9.6};
  const auto request = c.request();
  const auto study = [&](const Communicator& some) {
    auto result = convergence_study(some, Stop(), request, 1e12);
    result.erase("predicted_core_s");
    return result;
  };
  EXPECT_EQ(study(comm), study(Communicator(MPI_COMM_SELF)));
  c.multislice.error_budget = true;
  const test::SharedFolder together(comm);
  const test::TemporaryFolder folder;
  EXPECT_EQ(test::run_simulation(c, comm, together.path()).at("error_budget"),
            test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path()).at("error_budget"));
}

TEST(SimulationRanks, WorkOfOneRankIsFinishedByThree) {
  AETOS_RANKS(comm, 3);
  const test::SharedFolder folder(comm);
  const auto c = small_series();
  nlohmann::json first;
  if (comm.is_root()) {
    first = test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "work"))
      std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 3);
  }
  comm.barrier();
  Outcome before;
  if (comm.is_root()) before = outcome_in(folder.path(), first);
  comm.barrier();
  const auto after = outcome_in(folder.path(), test::run_simulation(c, comm, folder.path()));
  EXPECT_TRUE(after == before || !comm.is_root());
}

TEST(SimulationRanks, ABadRequestEndsAllRanksAlike) {
  AETOS_RANKS(comm, 2);
  const test::SharedFolder folder(comm);
  auto c = small_series();
  c.detectors[0].inner_mrad = 50;
  EXPECT_THROW(test::run_simulation(c, comm, folder.path()), InputError);
}

TEST(SimulationRanks, AStopOfOneRankEndsAll) {
  AETOS_RANKS(comm, 2);
  const test::SharedFolder folder(comm);
  const auto c = small_series();
  Stop stop;
  if (comm.rank() == 1) stop.set_time_limit(std::chrono::duration<double>(0));
  EXPECT_THROW(test::run_simulation(c, comm, folder.path(), stop), Interrupted);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "series.h5"));
  // What was done is used by the next attempt.
  const auto resumed = outcome_in(folder.path(), test::run_simulation(c, comm, folder.path()));
  const test::TemporaryFolder fresh;
  const auto alone =
      outcome_in(fresh.path(), test::run_simulation(c, Communicator(MPI_COMM_SELF), fresh.path()));
  EXPECT_TRUE(resumed == alone);
}

TEST(SimulationRanks, MoreRanksThanWork) {
  AETOS_RANKS(comm, 4);
  const test::SharedFolder folder(comm);
  auto c = small_series();
  c.tilts = {{}};
  c.specimen_options.thermal.frozen_phonons = 1;
  c.scan.field_A = {{0.5, 0.5}};
  test::run_simulation(c, comm, folder.path());
  EXPECT_EQ(test::read_images(folder.path(), "adf_noisy").size(), 1u);
}

}  // namespace
}  // namespace aetos::simulation
