#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "slurm_cluster.hpp"
#include "support/same_results.hpp"

/// The scripts of jobs/ under a real SLURM: whatever stops a run, it ends in the bits of one that nothing
/// stopped.
namespace aetos::test {
namespace {

namespace fs = std::filesystem;

class SlurmJobs : public SlurmCluster {
 protected:
  void SetUp() override {
    SlurmCluster::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    fs::create_directories(folder_.path() / "jobs");
    for (const auto& entry : fs::directory_iterator(fs::path(AETOS_SOURCE_DIR) / "jobs"))
      fs::copy(entry.path(), folder_.path() / "jobs" / entry.path().filename());
  }

  /// What a user does to a copy of a script.
  void edit(const std::string& script, const std::string& line, const std::string& by) const {
    const auto path = folder_.path() / "jobs" / script;
    auto text = read_file(path);
    const auto at = text.find(line);
    ASSERT_NE(at, std::string::npos) << script << ": " << line;
    folder_.write("jobs/" + script, text.replace(at, line.size(), by));
  }
  std::string submit(const std::string& options, const std::string& script_and_arguments) const {
    const auto outcome = user("sbatch --parsable " + options + " jobs/" + script_and_arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return outcome.output.substr(0, outcome.output.find_first_of(";\n"));
  }
  /// SLURM's words for a job, or an array's tasks: COMPLETED, PENDING...
  std::string state(const std::string& job) const {
    const auto shown = user("scontrol --oneliner show job " + job).output;
    std::string states;
    for (auto at = shown.find("JobState="); at != std::string::npos; at = shown.find("JobState=", at + 1))
      states += shown.substr(at + 9, shown.find(' ', at) - at - 9) + " ";
    return states;
  }
  bool ends(const std::string& job) {
    return wait_until([&] {
      hurry(job);
      const auto now = state(job);
      for (const char* not_yet : {"PENDING", "RUNNING", "COMPLETING", "SUSPENDED"})
        if (now.find(not_yet) != std::string::npos) return false;
      return true;
    });
  }
  /// Until a run has written some of its work, and is still at it.
  bool is_at_work(const std::string& run) {
    const auto work = folder_.path() / run / "work/simulate";
    return wait_until([&] { return fs::exists(work) && !fs::is_empty(work); });
  }
  std::string log_of(const std::string& job) const {
    return read_file(folder_.path() / ("aetos-" + job + ".log"));
  }

  /// Those of this cluster that mpirun started, by what their environment says.
  std::string srun_of_mpirun() const {
    return run_shell("grep --no-messages --text --files-with-matches '" + folder_.path().string() +
                     "' /dev/null $(pgrep --full '^srun .*orted' | sed 's|.*|/proc/&/environ|')")
        .output;
  }

  void expect_as_undisturbed(const std::vector<std::string>& runs, const std::string& config) {
    const auto calm = (folder_.path() / "calm").string();
    const auto outcome = run_aetos("run " + config + " --output " + calm);
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    for (const auto& run : runs) {
      SCOPED_TRACE(run);
      expect_same_results(folder_.path() / run, calm);
    }
  }
  /// A run of some ten seconds of one core, with work on disk all the time; sanitizers need a tenth of it for
  /// that.
  std::string longer_run() const {
#if defined(__SANITIZE_ADDRESS__)
    const std::string more = "frozen_phonons: 4";
#else
    const std::string more = "frozen_phonons: 40";
#endif
    auto config = small_config() + "checkpoint_interval_s: 0.1\n";
    const std::string phonons = "frozen_phonons: 2";
    config.replace(config.find(phonons), phonons.size(), more);
    return write_small_run(folder_, config);
  }
};

TEST_F(SlurmJobs, ARunOverTwoNodesByMpirunAndBySrun) {
  const auto config = write_small_run(folder_);
  const auto first =
      submit("--nodes=2 --ntasks=2 --ntasks-per-node=1", "single_run.sbatch small.yaml runs/one");
  ASSERT_TRUE(ends(first));
  EXPECT_EQ(state(first), "COMPLETED ") << log_of(first);
  EXPECT_NE(log_of(first).find("2 rank(s)"), std::string::npos) << log_of(first);
  // Open MPI is built with PMIx here; a site that says otherwise is told so by docs/cluster.md.
  edit("single_run.sbatch", "launcher=(mpirun) ", "launcher=(srun --mpi=pmix) ");
  const auto second =
      submit("--nodes=2 --ntasks=2 --ntasks-per-node=1", "single_run.sbatch small.yaml runs/two");
  ASSERT_TRUE(ends(second));
  EXPECT_EQ(state(second), "COMPLETED ") << log_of(second);
  EXPECT_NE(log_of(second).find("2 rank(s)"), std::string::npos) << log_of(second);
  expect_as_undisturbed({"runs/one", "runs/two"}, config);
  // Nothing of the jobs' own stays on the nodes.
  EXPECT_FALSE(fs::exists("/tmp/aetos-" + first) || fs::exists("/tmp/aetos-" + second));
}

TEST_F(SlurmJobs, WithoutPmixCopiesThatWouldBeAloneAreRefused) {
  write_small_run(folder_);
  edit("single_run.sbatch", "launcher=(mpirun) ", "launcher=(srun --mpi=none) ");
  const auto job = submit("--ntasks=2", "single_run.sbatch small.yaml runs/one");
  ASSERT_TRUE(ends(job));
  EXPECT_NE(state(job), "COMPLETED ");
  EXPECT_FALSE(fs::exists(folder_.path() / "runs/one/run.json"));
}

TEST_F(SlurmJobs, TheTimeLimitOfAMinuteHitsARunAndItGoesOn) {
  const auto config = longer_run();
  // Held in the middle of its work (by a helper that shares its process group, and so its signals) until the
  // signal comes that SLURM sends before the limit.
  const auto program = folder_.write(
      "program",
      "#!/bin/bash\nif [[ $* != *--resume* ]]; then\n"
      "  (trap '' USR1; until compgen -G \"$4/work/simulate/*\" >/dev/null; do sleep 0.02; done; kill -STOP "
      "$$\n"
      "  until grep -q '^ShdPnd:.*[2367abef]..$' /proc/$$/status; do sleep 0.2; done; kill -CONT $$) &\n"
      "fi\nexec " AETOS_BINARY " \"$@\"\n");
  fs::permissions(program, fs::perms::owner_all);
  edit("single_run.sbatch", "aetos=${AETOS:-build/release/bin/aetos}", "aetos=" + program);
  const auto job = submit("--ntasks=1 --time=1 --signal=B:USR1@35", "single_run.sbatch small.yaml runs/one");
  ASSERT_TRUE(ends(job));
  EXPECT_EQ(state(job), "COMPLETED ") << log_of(job);
  EXPECT_NE(log_of(job).find("ended with code 75"), std::string::npos) << log_of(job);
  EXPECT_NE(log_of(job).find("start 2"), std::string::npos) << log_of(job);
  expect_as_undisturbed({"runs/one"}, config);
}

TEST_F(SlurmJobs, CancelledRequeuedAndLostWithItsNode) {
  const auto config = longer_run();
  // Each on its own node, all at once.
  const auto on = [](const std::string& node) { return "--ntasks=2 --nodes=1 --nodelist=" + node; };
  const auto lost = submit(on("n1"), "single_run.sbatch small.yaml runs/lost");
  const auto cancelled = submit(on("n2"), "single_run.sbatch small.yaml runs/cancelled");
  const auto requeued = submit(on("n3"), "single_run.sbatch small.yaml runs/requeued");
  ASSERT_TRUE(is_at_work("runs/lost") && is_at_work("runs/cancelled") && is_at_work("runs/requeued"));

  helper("kill", "n1");
  user("scancel " + cancelled);
  user("scontrol requeue " + requeued);
  ASSERT_TRUE(ends(cancelled));
  EXPECT_EQ(state(cancelled), "CANCELLED ");
  EXPECT_FALSE(fs::exists(folder_.path() / "runs/lost/analysis.json"));
  // As if its node had been lost as well: a lock that names another machine.
  folder_.write("runs/cancelled/.aetos.lock",
                "host node0815\nprocess 1\nstart_time 1\nboot x\njob " + cancelled + " 0\n");
  const auto again = submit(on("n2"), "single_run.sbatch small.yaml runs/cancelled");
  helper("boot", "n1");
  for (const auto& job : {lost, requeued, again}) {
    ASSERT_TRUE(ends(job)) << state(job);
    EXPECT_EQ(state(job), "COMPLETED ") << log_of(job);
  }
  for (const auto& job : {lost, requeued})
    EXPECT_NE(log_of(job).find("start 2"), std::string::npos) << log_of(job);
  expect_as_undisturbed({"runs/lost", "runs/cancelled", "runs/requeued"}, config);
}

TEST_F(SlurmJobs, ANodeOfSeveralIsLost) {
  const auto config = longer_run();
  const auto job = submit("--nodes=2 --ntasks=2 --ntasks-per-node=1 --nodelist=n1,n2",
                          "single_run.sbatch small.yaml runs/one");
  ASSERT_TRUE(is_at_work("runs/one"));
  helper("kill", "n2");
  EXPECT_TRUE(wait_until([&] { return state(job) != "RUNNING "; }));
  EXPECT_EQ(srun_of_mpirun(), "")
      << "half a minute later one would end the step of its number in the next start";
  helper("boot", "n2");
  ASSERT_TRUE(ends(job));
  EXPECT_EQ(state(job), "COMPLETED ") << log_of(job);
  EXPECT_NE(log_of(job).find("start 2"), std::string::npos) << log_of(job);
  expect_as_undisturbed({"runs/one"}, config);
}

TEST_F(SlurmJobs, ManyNodesASweepAndAValidationWithDependencies) {
  const auto config = write_small_run(folder_);
  const auto many = submit("--nodes=2 --ntasks-per-node=1", "many_node_run.sbatch small.yaml runs/many");
  const auto sweep = submit("--ntasks=1 --array=0,10", "parameter_sweep.sbatch small.yaml runs/sweep");

  // Two particles, of which one has a config that its first stage refuses.
  for (const char* name : {"good", "bad"}) {
    fs::create_directories(folder_.path() / "particles" / name);
    folder_.write(std::string("particles/") + name + "/atoms.extxyz", small_atoms());
    auto its = small_config();
    if (std::string(name) == "bad") its.replace(its.find("pixel_A: 0.4"), 12, "pixel_A: -1");
    folder_.write(std::string("particles/") + name + "/config.yaml", its);
  }
  folder_.write("list.txt", "particles/good/\nparticles/bad/\n");
  edit("validation_campaign.sh", "[simulate]=128 [reconstruct]=16 [trace]=16",
       "[simulate]=2 [reconstruct]=2 [trace]=1");
  const auto submitted = user("bash jobs/validation_campaign.sh list.txt");
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  const auto last = submitted.output.substr(submitted.output.rfind(' ') + 1,
                                            submitted.output.size() - submitted.output.rfind(' ') - 2);

  ASSERT_TRUE(ends(many) && ends(sweep) && ends(last));
  EXPECT_EQ(state(many), "COMPLETED ") << log_of(many);
  EXPECT_EQ(state(sweep), "COMPLETED COMPLETED ") << log_of(sweep + "_1") << log_of(sweep + "_10");
  const auto ran = read_file(folder_.path() / "runs/sweep/dose480000-range75-phonons1/config.resolved.yaml");
  EXPECT_NE(ran.find("dose_total_e_per_A2: 480000"), std::string::npos) << ran;
  EXPECT_TRUE(fs::exists(folder_.path() / "runs/sweep/dose48000-range60-phonons1/analysis.json"));
  EXPECT_NE(state(last).find("COMPLETED"), std::string::npos) << state(last);
  EXPECT_NE(state(last).find("CANCELLED"), std::string::npos) << state(last);
  EXPECT_NE(read_file(folder_.path() / "particles/bad/job.log").find("pixel_A"), std::string::npos);
  expect_as_undisturbed({"runs/many", "particles/good/run"}, config);
}

}  // namespace
}  // namespace aetos::test
