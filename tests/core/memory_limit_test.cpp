#include "aetos/core/memory_limit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "support/temporary_folder.hpp"

namespace aetos {
namespace {

namespace fs = std::filesystem;

struct ControlGroups {
  test::TemporaryFolder folder;
  fs::path root = folder.path() / "cgroup", membership = folder.path() / "membership";

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  double limit() const { return memory_limit_bytes(membership, root); }
};

TEST(MemoryLimit, IsTheSmallestOnTheWayUp) {
  const ControlGroups groups;
  EXPECT_TRUE(std::isinf(groups.limit()));  // no control groups at all
  groups.write(groups.membership, "0::/slurm/job_7/step_0\n");
  EXPECT_TRUE(std::isinf(groups.limit()));
  groups.write(groups.root / "slurm/job_7/memory.max", "4000000000\n");
  groups.write(groups.root / "slurm/job_7/step_0/memory.max", "max\n");
  EXPECT_EQ(groups.limit(), 4e9);
  groups.write(groups.root / "memory.max", "1000000000\n");
  EXPECT_EQ(groups.limit(), 1e9);
}

TEST(MemoryLimit, OfVersionOne) {
  const ControlGroups groups;
  groups.write(groups.membership, "9:name=systemd:/\n7:cpu,memory:/job_7\n");
  groups.write(groups.root / "memory/memory.limit_in_bytes", "9223372036854771712\n");
  groups.write(groups.root / "memory/job_7/memory.limit_in_bytes", "500000000\n");
  groups.write(groups.root / "memory.max", "1\n");  // of version 2, which this process is not in
  EXPECT_EQ(groups.limit(), 5e8);
}

}  // namespace
}  // namespace aetos
