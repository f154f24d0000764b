// Submission and states, with commands of SLURM that only write down what they were asked.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/io/yaml_document.hpp"
#include "aetos/pipeline/campaign_collect.hpp"
#include "aetos/pipeline/campaign_submit.hpp"
#include "support/process.hpp"
#include "support/python.hpp"

namespace aetos::test {
namespace {

namespace campaign = pipeline::campaign;
namespace fs = std::filesystem;
using campaign::State;

class CampaignSubmit : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::getenv("PATH");
    fs::create_directories(bin());
    setenv("PATH", (bin().string() + ":" + path_).c_str(), 1);
    // sbatch: one line per call; the job's number is the number of the call. From call $REFUSE on it refuses.
    command("sbatch",
            "echo \"$*\" >>calls\nn=$(wc -l <calls)\n"
            "if [ -f refuse ] && [ \"$n\" -ge \"$(cat refuse)\" ]; then echo 'sbatch: error: "
            "QOSMaxSubmitJob' >&2; "
            "exit 1; fi\necho \"$n\"\n");
    command("squeue", "echo squeue >>asked\ncat queue 2>/dev/null || true\n");
    command("sacct", "echo sacct >>asked\nexit 1\n");
    command("scontrol",
            "echo scontrol >>asked\necho 'MaxArraySize            = 1001'\ncat jobs 2>/dev/null || true\n");
    made_.folder = folder_.path() / "campaign";
    fs::create_directories(made_.folder);
    made_.project = "test";
  }
  void TearDown() override { setenv("PATH", path_.c_str(), 1); }

  fs::path bin() const { return folder_.path() / "bin"; }
  void command(const std::string& name, const std::string& body) {
    const auto file = folder_.write("bin/" + name, "#!/bin/sh\ncd '" + bin().string() + "'\n" + body);
    fs::permissions(file, fs::perms::owner_all);
  }
  void members(std::size_t n) {
    for (const auto& value : campaign::expand({}, {{"seed", std::vector<std::string>(n, "1")}}))
      made_.members.push_back(value);
    for (auto& member : made_.members) member.stages = {"simulate"};
  }
  std::vector<std::string> lines(const std::string& name) const {
    std::vector<std::string> result;
    std::istringstream text(read_file(bin() / name));
    for (std::string line; std::getline(text, line);) result.push_back(line);
    return result;
  }
  void outcome(std::size_t i, int code, int failures, const std::string& job) {
    fs::create_directories(made_.folder_of(made_.members[i]));
    campaign::write_outcome(made_.folder_of(made_.members[i]), {code, failures, job});
  }
  std::vector<campaign::MemberStatus> now() const {
    const auto submissions = campaign::read_submissions(made_.folder);
    return campaign::status(made_, submissions, campaign::ask_scheduler(submissions));
  }

  TemporaryFolder folder_;
  std::string path_;
  campaign::Campaign made_;
};

TEST_F(CampaignSubmit, ManyMembersEachOnceAndNoIndexBeyondTheLimit) {
  members(2500);
  campaign::submit(made_);
  const auto calls = lines("calls");
  ASSERT_EQ(calls.size(), 4u);
  EXPECT_NE(calls[0].find("--array=0-1000 "), std::string::npos) << calls[0];
  EXPECT_NE(calls[2].find("--array=0-497 "), std::string::npos) << calls[2];
  // One job for the table, after all arrays, whatever becomes of them.
  EXPECT_NE(calls[3].find("--dependency=afterany:1:2:3 "), std::string::npos) << calls[3];
  std::set<std::string> names;
  std::size_t count = 0;
  for (const auto& submission : campaign::read_submissions(made_.folder)) {
    names.insert(submission.members.begin(), submission.members.end());
    count += submission.members.size();
    const auto list = read_file(made_.folder / submission.list);
    EXPECT_EQ(static_cast<std::size_t>(std::count(list.begin(), list.end(), '\n')),
              submission.members.size());
  }
  EXPECT_EQ(names.size(), 2500u);
  EXPECT_EQ(count, 2500u);
}

TEST_F(CampaignSubmit, TwiceSubmitsNothingTwice) {
  members(3);
  campaign::submit(made_);
  std::string queue;
  for (int i = 0; i < 3; ++i) queue += "1_" + std::to_string(i) + "|PENDING|Resources\n";
  folder_.write("bin/queue", queue);
  EXPECT_NE(campaign::submit(made_).find("nothing to submit"), std::string::npos);
  EXPECT_EQ(lines("calls").size(), 2u);  // the array and the table's job
}

TEST_F(CampaignSubmit, ARefusedSecondChunkIsAnErrorThatListsTheFirst) {
  members(1500);
  folder_.write("bin/refuse", "2");
  try {
    campaign::submit(made_);
    FAIL() << "the refusal was not noticed";
  } catch (const ResourceError& e) {
    const std::string message = e.what();
    EXPECT_NE(message.find("QOSMaxSubmitJob"), std::string::npos) << message;
    EXPECT_NE(message.find("job 1: 1001 members"), std::string::npos) << message;
    EXPECT_NE(message.find("1001 of 1500"), std::string::npos) << message;
  }
  ASSERT_EQ(campaign::read_submissions(made_.folder).size(), 1u);
  // Later, with the first chunk in the queue, only the rest is submitted.
  std::string queue;
  for (int i = 0; i < 1001; ++i) queue += "1_" + std::to_string(i) + "|RUNNING|None\n";
  folder_.write("bin/queue", queue);
  fs::remove(bin() / "refuse");
  campaign::submit(made_);
  const auto submissions = campaign::read_submissions(made_.folder);
  ASSERT_EQ(submissions.size(), 2u);
  EXPECT_EQ(submissions[1].members.size(), 499u);
  EXPECT_EQ(submissions[1].members.front().substr(0, 4), "1002");
}

TEST_F(CampaignSubmit, WithoutAnAnswerFromTheQueueNothingIsSubmittedAgain) {
  members(2);
  campaign::submit(made_);
  command("squeue", "echo 'slurm_load_jobs error' >&2\nexit 1\n");
  EXPECT_THROW(campaign::submit(made_), ResourceError);
  EXPECT_EQ(lines("calls").size(), 2u);
}

TEST_F(CampaignSubmit, AUserWhoMayHaveSevenHundredJobsGetsSevenHundredAndTheRestLater) {
  members(1500);
  command("sbatch",
          "echo \"$*\" >>calls\ncase $* in *--array=0-*) ;; *) echo 999; exit 0;; esac\n"
          "last=${*#*--array=0-}; last=${last%% *}; all=$(($(cat all 2>/dev/null || echo 0) + last + 1))\n"
          "if [ $all -gt 700 ]; then echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2; exit 1; fi\n"
          "echo $all >all\nwc -l <calls\n");
  EXPECT_THROW(campaign::submit(made_), ResourceError);
  std::vector<std::string> submitted, queue;
  std::string text;
  for (const auto& submission : campaign::read_submissions(made_.folder))
    for (std::size_t i = 0; i < submission.members.size(); ++i) {
      submitted.push_back(submission.members[i]);
      text += submission.job + "_" + std::to_string(i) + "|PENDING|AssocMaxJobsLimit\n";
    }
  ASSERT_EQ(submitted.size(), 700u);
  for (std::size_t i = 0; i < submitted.size(); ++i) EXPECT_EQ(submitted[i], made_.members[i].name);
  // When they are over, the next seven hundred.
  folder_.write("bin/queue", "");
  for (std::size_t i = 0; i < 700; ++i) outcome(i, 2, 9, "local");
  fs::remove(bin() / "all");
  EXPECT_THROW(campaign::submit(made_), ResourceError);
  std::size_t all = 0;
  for (const auto& submission : campaign::read_submissions(made_.folder)) all += submission.members.size();
  EXPECT_EQ(all, 1400u);
}

TEST_F(CampaignSubmit, SoManyAtOnceAsTheConfigSays) {
  members(5);
  made_.options.slurm.at_once = 2;
  campaign::submit(made_);
  EXPECT_NE(lines("calls").front().find("--array=0-4%2 "), std::string::npos) << lines("calls").front();
}

TEST_F(CampaignSubmit, AnArrayStillInTheQueueHoldsTheTableBack) {
  members(3);
  campaign::submit(made_);
  folder_.write("bin/queue", "1_0|RUNNING|None\n1_1|RUNNING|None\n");  // the third was cancelled
  campaign::submit(made_);
  EXPECT_NE(lines("calls").back().find("--dependency=afterany:1:3 "), std::string::npos)
      << lines("calls").back();
}

TEST_F(CampaignSubmit, ARunningMemberSaysHowFarItIs) {
  members(1);
  campaign::submit(made_);
  const auto run = made_.folder_of(made_.members[0]) / "run";
  fs::create_directories(run);
  std::ofstream(run / "log.txt") << "simulate\n  probes: 20 of 100 (20 %), 2/s, 40 s left\n";
  folder_.write("bin/queue", "1_0|RUNNING|None\n");
  EXPECT_EQ(now()[0].reason, "probes: 20 of 100 (20 %), 2/s, 40 s left");
}

TEST_F(CampaignSubmit, EveryKindOfEndIsToldApart) {
  members(9);
  campaign::submit(made_);
  folder_.write("bin/queue", "1_0|RUNNING|None\n1_1|PENDING|Dependency\n");
  const auto job = [](int i, const std::string& state) {
    return "JobId=" + std::to_string(10 + i) + " ArrayJobId=1 ArrayTaskId=" + std::to_string(i) +
           " JobName=x JobState=" + state + " Reason=None\n";
  };
  folder_.write("bin/jobs", job(2, "TIMEOUT") + job(3, "CANCELLED") + job(4, "OUT_OF_MEMORY") +
                                job(5, "NODE_FAIL") + job(6, "FAILED") + job(7, "FAILED"));
  outcome(6, 2, 1, "1_6");
  outcome(7, 137, 2, "1_7");
  const auto all = now();
  const std::vector<State> states{State::running, State::waiting, State::failed, State::failed, State::failed,
                                  State::failed,  State::failed,  State::failed, State::failed};
  for (std::size_t i = 0; i < states.size(); ++i) EXPECT_EQ(all[i].state, states[i]) << i << all[i].reason;
  EXPECT_EQ(all[1].reason, "Dependency");
  const char* words[] = {"timed out", "cancelled", "memory",         "node",
                         "bad input", "signal 9",  "left no outcome"};
  for (std::size_t i = 0; i < 7; ++i)
    EXPECT_NE(all[i + 2].reason.find(words[i]), std::string::npos) << all[i + 2].reason;
  // Started again: all that failed, but for the one that has failed too often.
  EXPECT_EQ(campaign::startable(made_, all), (std::vector<std::size_t>{2, 3, 4, 5, 6, 8}));
}

TEST_F(CampaignSubmit, OnlyTheRunsOwnRecordMakesAMemberDone) {
  members(2);
  outcome(0, 0, 0, "local");
  const auto run = made_.folder_of(made_.members[1]) / "run";
  fs::create_directories(run);
  std::ofstream(run / "run.json") << R"({"stages": {"simulate": {"fingerprint": "x", "keys": {}, "extent": "",
      "done": true}}, "sha256": {}})";
  const auto all = now();
  EXPECT_EQ(all[0].state, State::failed);
  EXPECT_EQ(all[1].state, State::done);
}

TEST_F(CampaignSubmit, AsksSlurmAFixedNumberOfTimes) {
  members(2000);
  campaign::submit(made_);
  fs::remove(bin() / "asked");
  now();
  EXPECT_LE(lines("asked").size(), 3u);
}

TEST_F(CampaignSubmit, TheTableHasARowForEachMember) {
  members(4);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto run = made_.folder_of(made_.members[i]) / "run";
    fs::create_directories(run);
    std::ofstream(run / "summary.json")
        << "{\"compare\": {\"rmsd_pm\": " << (i == 1 ? 90 : 20 + static_cast<int>(i))
        << ", \"rmsd_axis_pm\": [1, 2, 3]}, \"x\": \"a,\\\"b\"}";
  }
  const auto results = campaign::collect(made_, now());
  ASSERT_EQ(results.rows.size(), 4u);
  EXPECT_EQ(results.rows[1]["compare.rmsd_pm"], 90);
  EXPECT_EQ(results.rows[2]["compare.rmsd_axis_pm.2"], 3);
  const auto csv = campaign::to_csv(results);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
  EXPECT_NE(csv.find("\"a,\"\"b\""), std::string::npos) << csv;
  const auto scores = campaign::outlier_scores(results);
  EXPECT_EQ(std::max_element(scores.begin(), scores.end()) - scores.begin(), 1);
  campaign::write_results(made_, results);
  if (python_has("h5py")) {
    const auto script = folder_.write("read.py", R"(
import sys
import h5py
import numpy as np
table = h5py.File(sys.argv[1], 'r')['members']
names = list(table.attrs['columns'])
assert names == open(sys.argv[2]).readline().strip().split(','), names
assert all(len(table[n]) == 4 for n in names)
assert table['name'].asstr()[1] == '0002-seed1' and table['x'].asstr()[0] == 'a,"b' and table['x'].asstr()[3] == ''
assert list(table['compare.rmsd_pm'][:3]) == [20, 90, 22] and np.isnan(table['compare.rmsd_pm'][3])
assert table['compare.rmsd_axis_pm.2'].dtype == np.float64
)");
    EXPECT_EQ(run_python(script, (made_.folder / "results.h5").string() + " " +
                                     (made_.folder / "results.csv").string()),
              0);
  }
  const auto page = campaign::page(made_, results);
  EXPECT_LT(page.find("0002-seed1"), page.find("0001-seed1"));  // the outlier first
}

}  // namespace
}  // namespace aetos::test
