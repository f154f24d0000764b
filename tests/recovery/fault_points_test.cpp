#include <gtest/gtest.h>

#include <regex>

#include "support/same_results.hpp"
#include "support/small_run.hpp"

/// A run that fails at a chosen place, on one of three ranks, ends soon with one message and loses nothing.
namespace aetos::test {
namespace {

namespace fs = std::filesystem;

struct Fault {
  const char* point;
  const char* action;
  int nth;
  int rank;
};

std::ostream& operator<<(std::ostream& out, const Fault& f) {
  return out << f.action << " at " << f.point << ", time " << f.nth << ", rank " << f.rank;
}

class FaultPoint : public ::testing::TestWithParam<Fault> {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    config_ = write_small_run(*folder_);
    const auto begin = Clock::now();
    undisturbed_ = run_aetos("run " + config_ + " --output " + (folder_->path() / "undisturbed").string(), 2);
    undisturbed_s_ = seconds_since(begin);
  }
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  static TemporaryFolder* folder_;
  static std::string config_;
  static Outcome undisturbed_;
  static double undisturbed_s_;
};
TemporaryFolder* FaultPoint::folder_ = nullptr;
std::string FaultPoint::config_;
Outcome FaultPoint::undisturbed_;
double FaultPoint::undisturbed_s_ = 0;

TEST_P(FaultPoint, EndsSoonAndResumesToTheSameBits) {
  ASSERT_EQ(undisturbed_.code, 0) << undisturbed_.output;
  const auto& fault = GetParam();
  const auto run = folder_->path() / "faulty";
  fs::remove_all(run);
  const std::string command = "run " + config_ + " --set checkpoint_interval_s=0.05 --output " + run.string();
  const std::string order =
      fmt::format("AETOS_FAULT={},{},{},{}", fault.point, fault.action, fault.nth, fault.rank);
  const auto begin = Clock::now();
  const auto failed = run_aetos(command, 3, fmt::format("{} timeout {:.0f}", order, undisturbed_s_ + 60));
  const double seconds = seconds_since(begin);
  ASSERT_NE(failed.code, 0) << "the fault never happened: " << failed.output;
  EXPECT_LT(seconds, undisturbed_s_ + 30) << failed.output;  // no hang
  if (std::string(fault.action) != "kill") {
    EXPECT_EQ(failed.code, 1) << failed.output;
    EXPECT_NE(failed.output.find(std::string(fault.action) == "memory" ? "memory" : fault.point),
              std::string::npos)
        << failed.output;
  }
  // Whatever has a final name is complete.
  for (const char* file : {"tilt_series.h5", "volume.h5", "atoms.extxyz"})
    if (fs::exists(run / file)) {
      EXPECT_EQ(run_aetos("info " + (run / file).string()).code, 0) << file;
    }
  const bool begun = fs::exists(run / "run.json");
  const auto resumed = run_aetos(command + (begun ? " --resume" : " --overwrite"), 2);
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  expect_same_results(folder_->path() / "undisturbed", run);
}

TEST_F(FaultPoint, RefinementGoesOnFromTheEvaluationsThatWereDone) {
  ASSERT_EQ(undisturbed_.code, 0) << undisturbed_.output;
  const auto run = folder_->path() / "refining";
  const std::string command = "run " + config_ + " --output " + run.string();
  ASSERT_NE(run_aetos(command, 3, "AETOS_FAULT=trace-refine,kill,40,0").code, 0);
  const auto resumed = run_aetos(command + " --resume", 2);
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  // Of the 39, the few that no minimiser asked for are made again.
  std::smatch found;
  ASSERT_TRUE(
      std::regex_search(resumed.output, found, std::regex("trace: ([0-9]+) evaluations were done before")))
      << resumed.output;
  EXPECT_GE(std::stoi(found[1]), 30);
  expect_same_results(folder_->path() / "undisturbed", run);
}

// Points that all ranks pass are hit on a rank that is not the root, points of one writer on the root.
INSTANTIATE_TEST_SUITE_P(
    Places, FaultPoint,
    ::testing::Values(Fault{"journal-created", "kill", 1, 1}, Fault{"journal-append", "kill", 3, 2},
                      Fault{"journal-appended", "kill", 3, 1}, Fault{"journal-sync", "kill", 2, 0},
                      Fault{"journal-append", "disk", 4, 1}, Fault{"simulate-item", "throw", 5, 2},
                      Fault{"simulate-item", "memory", 5, 0}, Fault{"series-write", "kill", 2, 1},
                      Fault{"series-write", "disk", 2, 2}, Fault{"publish-sync", "kill", 3, 0},
                      Fault{"publish-rename", "kill", 3, 0}, Fault{"published", "kill", 3, 0},
                      Fault{"stage-done", "kill", 1, 0}, Fault{"stage-recorded", "kill", 1, 0},
                      Fault{"reconstruct-iteration", "kill", 9, 2},
                      Fault{"reconstruct-iteration", "throw", 9, 1}, Fault{"checkpoint-part", "kill", 1, 1},
                      Fault{"checkpoint-part", "disk", 1, 2}, Fault{"checkpoint-manifest", "kill", 1, 0},
                      Fault{"stage-done", "kill", 2, 1}, Fault{"trace-peaks", "kill", 1, 1},
                      Fault{"trace-refine", "memory", 3, 1}, Fault{"trace-refine", "kill", 3, 0},
                      Fault{"compare", "throw", 1, 1}, Fault{"compare", "kill", 1, 0},
                      Fault{"analyze", "throw", 1, 2}),
    [](const auto& c) {
      std::string name = std::string(c.param.action) + "_" + c.param.point + "_" + std::to_string(c.index);
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace aetos::test
