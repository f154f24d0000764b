#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "slurm_cluster.hpp"
#include "support/same_results.hpp"

/// A campaign under a real SLURM.
namespace aetos::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class SlurmCampaign : public SlurmCluster {
 protected:
  Outcome campaign(const std::string& action, const std::string& options = "") const {
    return user(std::string(AETOS_BINARY) + " campaign " + action + " " + config_ + " " + options);
  }
  Json status() const {
    const auto outcome = campaign("status", "--json");
    return Json::parse(outcome.output, nullptr, false);
  }
  /// Until the members are in these states; what they are in then. A member on its way from one start to the
  /// next is in no queue for a moment, so looking for an empty queue would end too early.
  Json wait_for(const std::vector<std::string>& states) {
    Json now;
    wait_until([&] {
      now = status();
      if (!now.is_object()) return true;
      bool all = true;
      for (std::size_t m = 0; m < states.size(); ++m) all = all && now["members"][m]["state"] == states[m];
      for (const auto& member : now["members"])
        if (const std::string job = member["job"]; !job.empty()) hurry(job);
      return all;
    });
    return now;
  }

  std::string config_;
};

TEST_F(SlurmCampaign, OneBadParticleNeverStopsTheRestAndAKilledOneGoesOn) {
  config_ = write_small_run(folder_,
                            small_config() +
                                "campaign:\n"
                                "  particles: [atoms.extxyz, broken.extxyz, blocked.extxyz, victim.extxyz]\n"
                                "  slurm: {partition: main, ranks: 2, time: 10}\n"
                                "  max_retries: 1\n");
  folder_.write("blocked.extxyz", small_atoms());
  folder_.write("victim.extxyz", small_atoms());
  folder_.write("broken.extxyz", "not atoms\n");
  // Its folder holds something else's results, so its run ends with code 2 on the node.
  fs::create_directories(folder_.path() / "run/members/0003-blocked/run");
  folder_.write("run/members/0003-blocked/run/summary.json", "{}");

  // One rank of the last is killed as soon as it has begun its work.
  const auto once = (folder_.path() / "once").string();
  const auto program = folder_.write(
      "program", "#!/bin/bash\nif [[ $2 == *victim* ]] && mkdir '" + once +
                     "' 2>/dev/null; then\n"
                     "(until compgen -G \"$4/work/simulate/*\" >/dev/null; do sleep 0.02; done; "
                     "kill -9 $$) &\nfi\nexec " AETOS_BINARY " \"$@\"\n");
  fs::permissions(program, fs::perms::owner_all);
  const auto submitted = user("AETOS=" + program + " " AETOS_BINARY " campaign submit " + config_);
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  EXPECT_NE(submitted.output.find("3 of 4 members submitted"), std::string::npos) << submitted.output;

  const auto end = wait_for({"done", "failed", "failed", "done"});
  ASSERT_TRUE(end.is_object());
  const auto log = read_file(folder_.path() / "run/members/0001-atoms/job.log");
  EXPECT_EQ(end["members"][0]["state"], "done") << end.dump(1) << log;
  EXPECT_EQ(end["members"][1]["state"], "failed");
  EXPECT_NE(end["members"][1]["reason"].get<std::string>().find("broken.extxyz"), std::string::npos);
  EXPECT_EQ(end["members"][2]["state"], "failed");
  EXPECT_NE(end["members"][2]["reason"].get<std::string>().find("holds another run"), std::string::npos)
      << end.dump(1);
  EXPECT_NE(log.find("2 rank(s)"), std::string::npos) << log;
  EXPECT_EQ(end["members"][3]["state"], "done") << end.dump(1);
  EXPECT_EQ(end["members"][3]["failures"], 1);
  EXPECT_NE(read_file(folder_.path() / "run/members/0004-victim/job.log").find("ended with code 137"),
            std::string::npos);
  const auto victim = (folder_.path() / "run/members/0004-victim").string(),
             calm = (folder_.path() / "calm").string();
  const auto undisturbed = run_aetos("run " + victim + "/config.yaml --output " + calm);
  ASSERT_EQ(undisturbed.code, 0) << undisturbed.output;
  expect_same_results(victim + "/run", calm);

  EXPECT_EQ(campaign("status").code, 0);
  EXPECT_EQ(campaign("status", "--strict").code, 1);
  EXPECT_NE(campaign("submit", "--set campaign.max_retries=0").output.find("nothing to submit"),
            std::string::npos);

  // A job that waited for the arrays has made the table by itself.
  const auto table = folder_.path() / "run/results.json";
  EXPECT_TRUE(wait_until([&] { return fs::exists(table) && fs::exists(folder_.path() / "run/index.html"); }))
      << submitted.output;
  fs::remove(table);
  ASSERT_EQ(campaign("collect").code, 0);
  const auto results = Json::parse(read_file(folder_.path() / "run/results.json"));
  EXPECT_EQ(results["members"][0]["compare.matched"], 6);
  EXPECT_EQ(results["members"][1]["state"], "failed");
  EXPECT_NE(read_file(folder_.path() / "run/index.html").find("members/0001-atoms/run/report.html"),
            std::string::npos);
}

TEST_F(SlurmCampaign, AMemberThatIsToldToStopIsRequeuedAndGoesOn) {
  config_ = write_small_run(folder_, small_config() +
                                         "checkpoint_interval_s: 0.1\n"
                                         "campaign:\n"
                                         "  particles: [atoms.extxyz]\n"
                                         "  slurm: {time: 10}\n");
  const std::string longer = "--set specimen.thermal.frozen_phonons=24";
  ASSERT_EQ(campaign("submit", longer).code, 0);
  // As SLURM does before the time limit: USR1 to the batch shell alone.
  const auto work = folder_.path() / "run/members/0001-atoms/run/work/simulate";
  ASSERT_TRUE(wait_until([&] { return fs::exists(work) && !fs::is_empty(work); }));
  user("scancel --batch --signal=USR1 " + status()["members"][0]["job"].get<std::string>());
  const auto end = wait_for({"done"});
  const auto log = read_file(folder_.path() / "run/members/0001-atoms/job.log");
  ASSERT_TRUE(end.is_object());
  EXPECT_EQ(end["members"][0]["state"], "done") << end.dump(1) << log;
  EXPECT_NE(log.find("ended with code 75"), std::string::npos) << log;
  EXPECT_NE(log.find("start 2"), std::string::npos) << log;
  const auto undisturbed =
      run_aetos("run " + config_ + " " + longer + " --output " + (folder_.path() / "calm").string());
  ASSERT_EQ(undisturbed.code, 0) << undisturbed.output;
  expect_same_results(folder_.path() / "run/members/0001-atoms/run", folder_.path() / "calm");
}

TEST_F(SlurmCampaign, AFailedMemberIsStartedAgainAndACancelledOneSubmittedAgain) {
  folder_.write("other.extxyz", small_atoms());
  config_ = write_small_run(folder_, small_config() +
                                         "campaign:\n"
                                         "  particles: [atoms.extxyz, other.extxyz]\n"
                                         "  slurm: {time: 10, options: [--hold]}\n"
                                         "  max_retries: 1\n");
  // A program that fails on its first start.
  const auto once = folder_.path() / "once";
  const auto program = folder_.write("program", "#!/bin/sh\nif mkdir '" + once.string() +
                                                    "' 2>/dev/null; then exit 1; fi\nexec " +
                                                    std::string(AETOS_BINARY) + " \"$@\"\n");
  fs::permissions(program, fs::perms::owner_all);
  const auto submitted = user("AETOS=" + program + " " + AETOS_BINARY + " campaign submit " + config_);
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  auto now = status();
  const auto job = [&](int i) { return now["members"][i]["job"].get<std::string>(); };
  EXPECT_EQ(now["members"][0]["state"], "waiting");
  user("scancel " + job(1));
  user("scontrol release " + job(0));
  now = wait_for({"done", "failed"});
  const auto log = read_file(folder_.path() / "run/members/0001-atoms/job.log");
  EXPECT_EQ(now["members"][0]["state"], "done") << now.dump(1) << log;
  EXPECT_EQ(now["members"][0]["failures"], 1);
  EXPECT_NE(log.find("start 2"), std::string::npos) << log;
  EXPECT_EQ(now["members"][1]["state"], "failed");
  // Without accounting SLURM forgets a task that is cancelled before it starts.
  EXPECT_NE(now["members"][1]["reason"].get<std::string>().find("cancelled"), std::string::npos);

  const auto again = campaign("submit", "--set campaign.slurm.options=[]");
  EXPECT_NE(again.output.find("1 of 2 members submitted"), std::string::npos) << again.output;
  EXPECT_EQ(wait_for({"done", "done"})["counts"]["done"], 2);
}

}  // namespace
}  // namespace aetos::test
