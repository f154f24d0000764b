#include "aetos/parallel/run_lock.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "aetos/core/error.hpp"
#include "support/temporary_folder.hpp"

namespace aetos {
namespace {

class Lock : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / RunLock::kFileName; }
  void write(const std::string& text) const { std::ofstream(file()) << text; }
  std::string text() const {
    std::ostringstream content;
    content << std::ifstream(file()).rdbuf();
    return content.str();
  }
  std::string refusal() const {
    try {
      const RunLock lock(folder_.path());
    } catch (const ResourceError& e) {
      return e.what();
    }
    return {};
  }
  /// What this process writes when it holds the lock.
  std::string own_text() const {
    const RunLock lock(folder_.path());
    return text();
  }
  /// The same with one line replaced.
  std::string text_with(const std::string& key, const std::string& value) const {
    std::string lines = own_text();
    const std::size_t begin = lines.find(key + " "), end = lines.find('\n', begin);
    return lines.replace(begin, end - begin, key + " " + value);
  }
  test::TemporaryFolder folder_;
};

TEST_F(Lock, SaysWhoHoldsItAndGoesAway) {
  {
    const RunLock lock(folder_.path());
    EXPECT_NE(text().find("process " + std::to_string(getpid())), std::string::npos) << text();
  }
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_EQ(refusal(), "");
}

TEST_F(Lock, SecondRunIsRefused) {
  const RunLock lock(folder_.path());
  const auto message = refusal();
  EXPECT_NE(message.find("is in use by process " + std::to_string(getpid())), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::exists(file()));
}

TEST_F(Lock, OfAKilledProcessIsTakenOver) {
  const pid_t child = fork();
  if (child == 0) {
    const RunLock lock(folder_.path());
    raise(SIGKILL);
  }
  // Dead already, but not yet reaped: the process number still exists.
  siginfo_t state;
  waitid(P_PID, static_cast<id_t>(child), &state, WEXITED | WNOWAIT);
  ASSERT_TRUE(std::filesystem::exists(file()));
  EXPECT_EQ(refusal(), "");
  waitpid(child, nullptr, 0);
}

TEST_F(Lock, OfADeadProcessWhoseNumberIsInUseAgainIsTakenOver) {
  write(text_with("start_time", "1"));  // this very process number, but an earlier process
  EXPECT_EQ(refusal(), "");
}

TEST_F(Lock, OfAnEarlierBootIsTakenOver) {
  write(text_with("boot", "00000000-0000-0000-0000-000000000000"));
  EXPECT_EQ(refusal(), "");
}

TEST_F(Lock, OfALiveProcessHoldsWithoutFlock) {
  // As on a network file system whose flock means nothing: only the file's text tells.
  write(own_text());
  EXPECT_NE(refusal().find("is in use by process"), std::string::npos);
}

TEST_F(Lock, OfAnotherHostIsLeftAloneAndExplained) {
  write(text_with("host", "node0815"));
  const auto message = refusal();
  EXPECT_NE(message.find("node0815"), std::string::npos) << message;
  EXPECT_NE(message.find("remove " + file().string()), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::exists(file()));
}

TEST_F(Lock, OfAnEarlierStartOfThisJobOnALostNodeIsTakenOver) {
  const auto other = text_with("host", "node0815");
  setenv("SLURM_JOB_ID", "4711", 1);
  setenv("SLURM_RESTART_COUNT", "2", 1);
  for (const char* job : {"job 4711 0\n", "job 4711 1\n"}) {
    write(other + job);
    EXPECT_EQ(refusal(), "") << job;
  }
  // Another job, or copies of this start that know nothing of each other, may be alive.
  for (const char* job : {"", "job 4712 0\n", "job 4711 2\n", "job x\n"}) {
    write(other + job);
    EXPECT_NE(refusal().find("node0815"), std::string::npos) << job;
  }
  std::filesystem::remove(file());
  EXPECT_NE(own_text().find("\njob 4711 2\n"), std::string::npos);
  unsetenv("SLURM_JOB_ID");
  unsetenv("SLURM_RESTART_COUNT");
}

TEST_F(Lock, EmptyOrForeignTextIsTakenOver) {
  for (const char* content : {"", "\n", "host", "host a\nprocess many\n", "\xff\xfe\x01"}) {
    write(content);
    EXPECT_EQ(refusal(), "") << content;
  }
}

TEST_F(Lock, OthersCanTellWhetherARunHoldsIt) {
  using State = RunLock::State;
  EXPECT_EQ(RunLock::state_in(folder_.path()), State::none);
  {
    const RunLock lock(folder_.path());
    EXPECT_EQ(RunLock::state_in(folder_.path()), State::held);
  }
  const auto alive = own_text(), dead = text_with("start_time", "1");
  write(alive);  // as where flock means nothing
  EXPECT_EQ(RunLock::state_in(folder_.path()), State::held);
  write(dead);
  EXPECT_EQ(RunLock::state_in(folder_.path()), State::left);
  write("");
  EXPECT_EQ(RunLock::state_in(folder_.path()), State::left);
}

TEST_F(Lock, MissingFolderIsAnError) {
  try {
    const RunLock lock(folder_ / "absent");
    FAIL();
  } catch (const ResourceError& e) {
    EXPECT_NE(std::string(e.what()).find("No such file"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace aetos
