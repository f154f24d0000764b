#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "support/small_run.hpp"

namespace aetos::test {

/// A real SLURM on this machine: slurmctld and three slurmd of two cores, each test its own.
class SlurmCluster : public ::testing::Test {
 protected:
  using Clock = std::chrono::steady_clock;
  void SetUp() override {
    if (run_shell("PATH=$PATH:/usr/sbin; command -v slurmctld slurmd munged sbatch").code != 0)
      GTEST_SKIP() << "SLURM is not installed (Debian: slurm-wlm and munge)";
    (void)patience();  // measured before jobs run
    const auto started = helper("start");
    ASSERT_EQ(started.code, 0) << started.output;
    running_ = true;
  }
  void TearDown() override {
    if (running_) helper("stop");
  }

  Outcome helper(const std::string& action, const std::string& node = "") const {
    return run_shell(std::string("bash ") + AETOS_SOURCE_DIR + "/tests/slurm/slurm_here.sh " + action + " " +
                     (folder_.path() / "slurm").string() + " " + node + " >/dev/null </dev/null");
  }
  /// A command in the environment of a user of that cluster. Its nodes share the cores of this machine, so
  /// that mpirun must not bind the ranks of each to the first.
  Outcome user(const std::string& command) const {
    return run_shell("cd '" + folder_.path().string() +
                     "' && env -i PATH=\"$PATH\" HOME=\"$HOME\" OMPI_ALLOW_RUN_AS_ROOT=1 "
                     "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_hwloc_base_binding_policy=none AETOS=" +
                     AETOS_BINARY + " SLURM_CONF=" + (folder_.path() / "slurm/slurm.conf").string() + " " +
                     command + " </dev/null");
  }

  /// Asks twice a second until `holds`, while patience lasts; whether it did.
  static bool wait_until(const std::function<bool()>& holds) {
    for (const auto end = Clock::now() + patience(); Clock::now() < end;) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    return false;
  }
  /// A requeued job waits two minutes for its next start. Five seconds are enough here; less is not, since a
  /// node refuses the credential of a job that it ended within the same second.
  void hurry(const std::string& job) {
    if (user("squeue --noheader --format=%r --job=" + job).output.find("BeginTime") == std::string::npos) {
      delayed_.erase(job);
      return;
    }
    const auto since = delayed_.try_emplace(job, Clock::now()).first->second;
    if (Clock::now() - since < std::chrono::seconds(5)) return;
    user("scontrol update StartTime=now JobId=" + job);
    delayed_.erase(job);
  }

  TemporaryFolder folder_;

 private:
  /// SLURM's own delays, and twenty small runs of this build on this machine: sanitizers stretch them
  /// tenfold.
  static Clock::duration patience() {
    static const auto small_run = [] {
      const TemporaryFolder folder;
      const auto config = write_small_run(folder);
      const auto begin = Clock::now();
      const auto outcome = run_aetos("run " + config + " --output " + (folder.path() / "run").string());
      EXPECT_EQ(outcome.code, 0) << outcome.output;
      return Clock::now() - begin;
    }();
    return std::chrono::minutes(2) + 20 * small_run;
  }

  bool running_ = false;
  std::map<std::string, Clock::time_point> delayed_;
};

}  // namespace aetos::test
