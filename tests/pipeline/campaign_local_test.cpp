#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/small_run.hpp"

/// A campaign on this machine, as a user runs it.
namespace aetos::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json status_of(const std::string& config) {
  return Json::parse(run_aetos("campaign status --json " + config).output, nullptr, false);
}

TEST(CampaignLocal, RunsWhatItCanAndTellsTheRest) {
  const TemporaryFolder folder;
  folder.write("blocked.extxyz", small_atoms());
  const auto config = write_small_run(folder, small_config() +
                                                  "campaign: {particles: [blocked.extxyz, missing.extxyz, "
                                                  "atoms.extxyz]}\n");
  const auto blocked = folder.path() / "run/members/0001-blocked/run";
  fs::create_directories(blocked);
  std::ofstream(blocked / "summary.json") << "{}";
  const auto outcome = run_aetos("campaign submit --local 2 " + config);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  const auto status = status_of(config);
  EXPECT_EQ(status["members"][0]["state"], "failed");
  EXPECT_EQ(status["members"][0]["failures"], 1);  // bad input is not tried again
  EXPECT_EQ(status["members"][1]["state"], "failed");
  EXPECT_EQ(status["members"][2]["state"], "done") << status.dump(1);
  EXPECT_EQ(run_aetos("campaign status --strict " + config).code, 1);
  EXPECT_EQ(run_aetos("campaign collect " + (folder.path() / "run").string()).code, 0);
  EXPECT_NE(read_file(folder.path() / "run/results.csv").find("compare.rmsd_pm"), std::string::npos);
}

TEST(CampaignLocal, StoppedAndKilledCampaignsGoOn) {
  const TemporaryFolder folder;
  const auto config = write_small_run(
      folder, small_config() +
                  "checkpoint_interval_s: 0.1\ncampaign: {particles: atoms.extxyz, sweep: {seed: [1, 2]}}\n");
  const std::string longer = " --set specimen.thermal.frozen_phonons=8";
  const std::string submit =
      std::string(AETOS_BINARY) + " campaign submit --local 1 " + config + longer + " </dev/null";
  // As soon as the first run is at work, however busy the machine is.
  const auto signalled_once_there_is = [&](const std::string& file, const std::string& signal) {
    return run_shell(submit + " & pid=$!\nfor i in $(seq 600); do\nls " + folder.path().string() +
                     "/run/members/0001*/run/" + file + " >/dev/null 2>&1 && break\nsleep 0.05\ndone\nkill -" +
                     signal + " $pid\nwait $pid\necho code $?");
  };
  const auto stopped = signalled_once_there_is("work/simulate/*", "TERM");
  EXPECT_NE(stopped.output.find("--resume goes on"), std::string::npos) << stopped.output;
  EXPECT_EQ(status_of(config)["members"][0]["state"], "stopped");
  signalled_once_there_is(".aetos.lock", "KILL");
  // The killed campaign leaves its run alone with nobody to wait for it; it ends by itself.
  for (int i = 0; i < 100 && status_of(config)["counts"]["running"] != 0; ++i) run_shell("sleep 0.2");
  const auto rest = run_aetos("campaign submit --local 1 " + config + longer);
  EXPECT_EQ(rest.code, 0) << rest.output;
  EXPECT_EQ(status_of(config)["counts"]["done"], 2) << status_of(config).dump(1);
}

TEST(CampaignLocal, BadUsageIsToldInOneLine) {
  const TemporaryFolder folder;
  const auto config = write_small_run(folder);
  for (const std::string& words :
       {std::string("campaign"), "campaign start " + config, std::string("campaign plan"),
        "campaign plan " + config, "campaign status " + config, "campaign submit --local 0 " + config}) {
    const auto outcome = run_aetos(words);
    EXPECT_EQ(outcome.code, 2) << words << outcome.output;
  }
  EXPECT_FALSE(fs::exists(folder.path() / "run"));
}

}  // namespace
}  // namespace aetos::test
