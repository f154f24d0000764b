#include "aetos/simulation/convergence.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "aetos/core/error.hpp"
#include "aetos/simulation/error_budget.hpp"
#include "support/simulation_case.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::simulation {
namespace {

/// A dozen atoms in a heap, at a sampling that is too coarse.
test::SimulationCase heap() {
  std::vector<Vec3> atoms;
  for (int k = -2; k <= 2; ++k)
    for (int j = -1; j <= 1; ++j)
      for (int i = -1; i <= 1; ++i)
        atoms.emplace_back(2.6 * i + 0.7 * j, 2.7 * j + 0.3 * k, 2.2 * k + 0.4 * i);
  test::SimulationCase c(atoms);
  c.scan.field_A = {{10, 10}};
  c.specimen_options.thermal.debye_waller_B_A2 = 0.4;
  c.specimen_options.thermal.frozen_phonons = 2;
  c.detectors.push_back({.name = "dpc", .kind = multislice::DetectorKind::com});
  return c;
}

double error_at(const nlohmann::json& sweep, double value, const char* detector) {
  for (const auto& row : sweep.at("settings"))
    if (std::abs(row.at("value").get<double>() - value) < 1e-6) return row.at("error").at(detector);
  ADD_FAILURE() << value << " is missing in " << sweep.dump();
  return 0;
}

TEST(Convergence, ErrorsFallTowardsFinerSettings) {
  const auto c = heap();
  const auto study = convergence_study(Communicator(MPI_COMM_SELF), Stop(), c.request(), 1e12);
  EXPECT_TRUE(study.at("complete").get<bool>());
  EXPECT_EQ(study.at("detectors"), nlohmann::json({"adf", "dpc"}));
  EXPECT_GT(study.at("predicted_core_s").get<double>(), 0);
  EXPECT_DOUBLE_EQ(study.at("own").at("window_A"), 9.6);
  for (const char* detector : {"adf", "dpc"}) {
    const auto error = [&](const char* sweep, double value) {
      return error_at(study.at(sweep), value, detector);
    };
    EXPECT_LT(error("sampling", 0.075), error("sampling", 0.15));
    EXPECT_LT(error("slice", 1), error("slice", 4));
    EXPECT_LT(error("window", 19.2), error("window", 9.6));
    EXPECT_NEAR(error("phonons", 2), error("phonons", 8) * 2, 1e-12);
    EXPECT_GT(error("phonons", 2), 1e-3);
    EXPECT_LT(error("phonons", 2), 0.5);
  }
}

TEST(Convergence, MemoryAndTimeAreObeyed) {
  const auto c = heap();
  const Communicator alone(MPI_COMM_SELF);
  const double enough = convergence_study(alone, Stop(), c.request(), 1e12).at("sampling").at("reference");
  EXPECT_DOUBLE_EQ(enough, 0.025);
  const auto small = convergence_study(alone, Stop(), c.request(), 70e6);
  EXPECT_GT(small.at("sampling").at("reference").get<double>(), 0.025);
  EXPECT_NE(small.at("notes").dump().find("MiB"), std::string::npos);
  Stop now;
  now.set_time_limit(std::chrono::duration<double>(0));
  const auto stopped = convergence_study(alone, now, c.request(), 1e12);
  EXPECT_FALSE(stopped.at("complete").get<bool>());
  EXPECT_TRUE(stopped.at("sampling").at("settings").empty());
}

TEST(ErrorBudget, IsInTheSummaryAndInTheFileWhereAskedFor) {
  auto c = heap();
  c.multislice.error_budget = true;
  const test::TemporaryFolder folder;
  const auto summary = test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  const auto& budget = summary.at("error_budget");
  double squares = 0;
  for (const char* kind : {"window", "slice", "sampling", "phonons"}) {
    const double error = budget.at("detectors").at("adf").at(kind);
    EXPECT_GT(error, 1e-4) << kind;
    EXPECT_LT(error, 1) << kind;
    EXPECT_GE(budget.at(kind).get<double>(), error);
    squares += error * error;
  }
  EXPECT_NEAR(budget.at("detectors").at("adf").at("total").get<double>(), std::sqrt(squares), 1e-12);
  const auto info = io::read_tilt_series_info((folder.path() / "series.h5").string());
  EXPECT_EQ(info.microscope.numbers.at("adf_error_sampling"),
            budget.at("detectors").at("adf").at("sampling"));
  EXPECT_EQ(info.microscope.numbers.at("error_budget_converged_sampling_A"), 0.025);
}

TEST(ErrorBudget, AutoLeavesOutWhatWouldCostMoreThanThreePercent) {
  auto c = heap();
  const test::TemporaryFolder folder;
  EXPECT_TRUE(
      test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path()).at("error_budget").is_null());
  c.scan.field_A = {{25, 25}};
  for (int i = 1; i < 200; ++i) c.tilts.push_back({0, 0.5 * i, 0});
  std::string why_not;
  const auto request = c.request();
  const auto plan = make_plan(request);
  const auto budget = measure_error_budget(Communicator(MPI_COMM_SELF), Stop{}, request, plan,
                                           window_of_width(plan, 9.6), why_not);
  ASSERT_TRUE(budget) << why_not;
  EXPECT_GE(budget->probes, 32u);
}

TEST(ErrorBudget, EndsAtAStopRequestAsDoesTheChoiceOfTheWindow) {
  auto c = heap();
  c.multislice.error_budget = true;
  c.multislice.window = multislice::WindowTolerance{0.01};
  const auto request = c.request();
  const auto plan = make_plan(request);
  const Communicator alone(MPI_COMM_SELF);
  Stop now;
  now.set_time_limit(std::chrono::duration<double>(0));
  std::string why_not;
  EXPECT_THROW(choose_window(alone, now, request, plan), Interrupted);
  EXPECT_THROW(measure_error_budget(alone, now, request, plan, window_of_width(plan, 9.6), why_not),
               Interrupted);
  EXPECT_TRUE(choose_window(alone, Stop(), request, plan).error_estimate);
}

}  // namespace
}  // namespace aetos::simulation
