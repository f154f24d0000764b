#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "support/same_results.hpp"
#include "support/small_run.hpp"

/// Disks that fill up, may not be written, or lose their files, and folders that another run holds.
namespace aetos::test {
namespace {

namespace fs = std::filesystem;

/// A file system of a few hundred kilobytes that can grow.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& at) : at_(at) {
    fs::create_directories(at);
    mounted_ = ::mount("tmpfs", at.c_str(), "tmpfs", 0, "size=192k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  bool resize(const char* size) {
    return ::mount("tmpfs", at_.c_str(), "tmpfs", MS_REMOUNT, (std::string("size=") + size).c_str()) == 0;
  }

 private:
  fs::path at_;
  bool mounted_ = false;
};

/// Takes all that is free on a disk, as another user may.
void fill(const fs::path& ballast) {
  const int file = ::open(ballast.c_str(), O_WRONLY | O_CREAT, 0644);
  const std::array<char, 4096> zeros{};
  while (::write(file, zeros.data(), zeros.size()) > 0) {
  }
  ::close(file);
}

TEST(Disk, TooSmallForAStageIsToldBeforeItBegins) {
  TemporaryFolder folder;
  SmallDisk disk(folder.path() / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "only root may mount the small file system of this test";
  const auto run = folder.path() / "disk/run";
  const std::string command = "run " + write_small_run(folder) + " --output " + run.string();
  const auto refused = [&](const Outcome& outcome, const char* result) {
    EXPECT_EQ(outcome.code, 1) << outcome.output;
    const auto told =
        outcome.output.find("not enough space on the disk for '" + (run / result).string() + "' and");
    EXPECT_NE(told, std::string::npos) << outcome.output;
    EXPECT_EQ(outcome.output.find("not enough space", told + 1), std::string::npos) << outcome.output;
  };
  refused(run_aetos(command, 2), "tilt_series.h5");
  EXPECT_FALSE(fs::exists(run / "tilt_series.h5"));
  // 413 kB: not all over again, but what an earlier start has not left there.
  ASSERT_TRUE(disk.resize("600k"));
  const auto killed = run_aetos(command + " --resume", 2, "AETOS_FAULT=series-write");
  ASSERT_EQ(killed.output.find("not enough space"), std::string::npos) << killed.output;
  EXPECT_FALSE(fs::exists(run / "tilt_series.h5"));
  refused(run_aetos(command + " --resume", 2), "volume.h5");
  EXPECT_TRUE(fs::exists(run / "tilt_series.h5"));
  ASSERT_TRUE(disk.resize("64m"));
  const auto resumed = run_aetos(command + " --resume", 2);
  EXPECT_EQ(resumed.code, 0) << resumed.output;
}

TEST(Disk, FilledUnderWayEndsWithOneErrorInAnyStage) {
  TemporaryFolder folder;
  SmallDisk disk(folder.path() / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "only root may mount the small file system that this test fills";
  ASSERT_TRUE(disk.resize("4m"));
  const auto config = write_small_run(folder);
  const auto undisturbed = folder.path() / "undisturbed", run = folder.path() / "disk/run";
  ASSERT_EQ(run_aetos("run " + config + " --output " + undisturbed.string()).code, 0);
  const std::string command = "run " + config + " --set checkpoint_interval_s=0.05 --output " + run.string();
  struct Filled {
    const char *stage, *result, *held_at, *begun;
  };
  for (const auto& [stage, result, held_at, begun] :
       {Filled{"simulate", "tilt_series.h5", "simulate-item", "window"},
        {"reconstruct", "volume.h5", "reconstruct-iteration", "reconstructing"},
        {"trace", "atoms.extxyz", "trace-refine", "peaks above"}}) {
    SCOPED_TRACE(stage);
    const auto said = [&] { return read_file(run / "log.txt"); };
    const auto before = said().size();
    Outcome full;
    std::thread user([&, held_at = held_at] {
      full = run_aetos(command + (fs::exists(run / "run.json") ? " --resume" : ""), 2,
                       fmt::format("AETOS_FAULT={},slow timeout 60", held_at));
    });
    for (int i = 0; i < 10000 && said().find(begun, before) == std::string::npos; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    fill(folder.path() / "disk/ballast");
    user.join();
    EXPECT_EQ(full.code, 1) << full.output;
    EXPECT_FALSE(fs::exists(run / result));
    std::istringstream lines(full.output);
    std::size_t errors = 0;
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("error: ")) {
        ++errors;
        EXPECT_TRUE(line.find("space") != std::string::npos || line.find("full") != std::string::npos)
            << line;
      }
    EXPECT_EQ(errors, 1u) << full.output;
    for (const char* file : {"tilt_series.h5", "volume.h5"})
      if (fs::exists(run / file)) {
        EXPECT_EQ(run_aetos("info " + (run / file).string()).code, 0) << file;
      }
    fs::remove(folder.path() / "disk/ballast");
  }
  const auto resumed = run_aetos(command + " --resume", 3);
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  expect_same_results(undisturbed, run);
}

TEST(Disk, FullEndsWithOneErrorAndResumesWhenThereIsRoom) {
  TemporaryFolder folder;
  SmallDisk disk(folder.path() / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "only root may mount the small file system that this test fills";
  const auto config = write_small_run(folder);
  const auto undisturbed = folder.path() / "undisturbed", run = folder.path() / "disk/run";
  ASSERT_EQ(run_aetos("run " + config + " --output " + undisturbed.string()).code, 0);
  const std::string command = "run " + config + " --output " + run.string();
  // Each step has room for a little more: a stage does not begin, or has just enough.
  for (const char* size : {"192k", "288k", "352k", "448k", "704k"}) {
    ASSERT_TRUE(disk.resize(size));
    const auto full = run_aetos(command + (fs::exists(run / "run.json") ? " --resume" : ""), 2, "timeout 60");
    if (full.code == 0) break;
    EXPECT_EQ(full.code, 1) << size << ": " << full.output;
    for (const char* file : {"tilt_series.h5", "volume.h5", "atoms.extxyz"})
      if (fs::exists(run / file)) {
        EXPECT_EQ(run_aetos("info " + (run / file).string()).code, 0) << file;
      }
  }
  ASSERT_TRUE(disk.resize("64m"));
  const auto resumed = run_aetos(command + " --resume", 3);
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  expect_same_results(undisturbed, run);
}

TEST(Disk, ReadOnlyFolderIsToldBeforeAnythingRuns) {
  TemporaryFolder folder;
  SmallDisk disk(folder.path() / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "only root may mount the file system of this test";
  ASSERT_EQ(::mount("tmpfs", (folder.path() / "disk").c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=1m"),
            0);
  const auto config = write_small_run(folder);
  const auto outcome = run_aetos("run " + config + " --output " + (folder.path() / "disk/run").string(), 2);
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  EXPECT_NE(outcome.output.find("disk/run"), std::string::npos) << outcome.output;
}

TEST(Disk, SlowForOneRankIsWaitedFor) {
  TemporaryFolder folder;
  const auto config = write_small_run(folder);
  const auto at = [&](const char* name) { return folder.path() / name; };
  ASSERT_EQ(run_aetos("run " + config + " --output " + at("undisturbed").string()).code, 0);
  for (const char* place : {"journal-sync", "publish-sync"}) {
    const auto slow = run_aetos(
        "run " + config + " --overwrite --set checkpoint_interval_s=1 --output " + at("slow").string(), 3,
        fmt::format("AETOS_FAULT={},slow,1,0 timeout 120", place));
    ASSERT_EQ(slow.code, 0) << place << ": " << slow.output;
    expect_same_results(at("undisturbed"), at("slow"));
  }
}

TEST(Disk, FolderRemovedUnderWayIsAnErrorNotAHang) {
  TemporaryFolder folder;
  const auto config = write_small_run(folder);
  const auto run = folder.path() / "run";
  const std::string longer = " --set specimen.thermal.frozen_phonons=12 --output " + run.string();
  Outcome outcome;
  std::thread user([&] { outcome = run_aetos("run " + config + longer, 2, "timeout 60"); });
  for (int i = 0; i < 100 && !fs::exists(run / "log.txt"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::error_code ignored;
  fs::remove_all(run, ignored);
  user.join();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
}

TEST(Lock, SecondRunInOneFolderIsRefused) {
  TemporaryFolder folder;
  const auto config = write_small_run(folder);
  const auto run = folder.path() / "run";
  const std::string command =
      "run " + config + " --set specimen.thermal.frozen_phonons=12 --output " + run.string();
  Outcome first;
  std::thread user([&] { first = run_aetos(command); });
  for (int i = 0; i < 100 && !fs::exists(run / "log.txt"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto second = run_aetos(command + " --resume", 2);
  user.join();
  EXPECT_EQ(second.code, 1) << second.output;
  EXPECT_NE(second.output.find("in use"), std::string::npos) << second.output;
  EXPECT_EQ(first.code, 0) << first.output;
}

TEST(Lock, FileSystemWithoutLocksWorksOrSaysWhatToSet) {
  TemporaryFolder folder;
  const auto config = write_small_run(folder);
  const auto undisturbed = folder.path() / "undisturbed", run = folder.path() / "run";
  ASSERT_EQ(run_aetos("run " + config + " --output " + undisturbed.string()).code, 0);
  const std::string without_locks = "ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=" AETOS_WITHOUT_LOCKS;
  const std::string command = "run " + config + " --output " + run.string();
  const auto killed = run_aetos(command, 3, without_locks + " AETOS_FAULT=simulate-item,kill,5,1");
  ASSERT_NE(killed.code, 0) << killed.output;
  const auto resumed = run_aetos(command + " --resume", 2, without_locks);
  ASSERT_EQ(resumed.code, 0) << resumed.output;
  EXPECT_NE(resumed.output.find("were done before"), std::string::npos) << resumed.output;
  expect_same_results(undisturbed, run);

  // HDF5 forgives a file system that knows no locks, not one whose lock service is gone.
  fs::remove_all(run);
  const auto no_service = fmt::format("{} AETOS_FLOCK_ERROR={}", without_locks, ENOLCK);
  const auto told = run_aetos(command, 2, no_service);
  EXPECT_EQ(told.code, 1) << told.output;
  EXPECT_NE(told.output.find("HDF5_USE_FILE_LOCKING=FALSE"), std::string::npos) << told.output;
  const auto works = run_aetos(command + " --resume", 2, no_service + " HDF5_USE_FILE_LOCKING=FALSE");
  ASSERT_EQ(works.code, 0) << works.output;
  expect_same_results(undisturbed, run);
}

}  // namespace
}  // namespace aetos::test
