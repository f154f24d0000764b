#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/shared_data.hpp"

/// The floors of the house (docs/house.md): an include may only point downward.
namespace aetos {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, int> kFloor{
    {"core", 0},    {"io", 1},       {"parallel", 1}, {"multislice", 2}, {"tomography", 2},
    {"imaging", 2}, {"atoms", 2},    {"config", 3},   {"simulation", 4}, {"reconstruction", 4},
    {"tracing", 4}, {"analysis", 4}, {"preprocessing", 4}, {"pipeline", 5}, {"cli", 6},
};

/// Sideways includes that are meant, each with its reason.
struct Allowed {
  std::string from, to, reason;
};
const std::vector<Allowed> kAllowed{
    {"io", "parallel", "collective HDF5: files are written and read by all ranks of a communicator"},
};

struct SourceFile {
  fs::path path;
  std::string room, text;
};

/// All sources and headers that lie in a room.
std::vector<SourceFile> sources_of(const fs::path& root) {
  std::vector<SourceFile> files;
  for (const char* tree : {"include/aetos", "src"}) {
    if (!fs::exists(root / tree)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / tree)) {
      const auto extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      files.push_back({fs::relative(entry.path(), root),
                       fs::relative(entry.path(), root / tree).begin()->string(), text.str()});
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern, std::regex::ECMAScript | std::regex::multiline);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it)
    found.push_back((*it)[1]);
  return found;
}

/// Why `from` may not include `to`; empty if it may.
std::string objection(const std::string& from, const std::string& to) {
  if (!kFloor.count(from)) return "room '" + from + "' has no floor";
  if (!kFloor.count(to)) return "room '" + to + "' has no floor";
  if (from == to || kFloor.at(to) < kFloor.at(from)) return {};
  const bool allowed = std::any_of(kAllowed.begin(), kAllowed.end(),
                                   [&](const Allowed& a) { return a.from == from && a.to == to; });
  if (allowed) return {};
  return kFloor.at(to) > kFloor.at(from)
             ? from + " -> " + to + " points upward"
             : from + " -> " + to + " points sideways, without a reason in the allow-list";
}

TEST(House, TheRulesThemselves) {
  EXPECT_EQ(objection("cli", "core"), "");
  EXPECT_EQ(objection("io", "parallel"), "");
  EXPECT_NE(objection("parallel", "io"), "");
  EXPECT_NE(objection("multislice", "atoms"), "");
  EXPECT_NE(objection("core", "io"), "");
  EXPECT_NE(objection("simulation", "pipeline"), "");
  EXPECT_NE(objection("cellar", "core"), "");
  for (const auto& a : kAllowed) {
    EXPECT_FALSE(a.reason.empty());
    EXPECT_EQ(kFloor.at(a.from), kFloor.at(a.to)) << "an upward include has no excuse";
  }
}

TEST(House, IncludesPointDownward) {
  const auto files = sources_of(test::source_dir());
  ASSERT_GT(files.size(), 20u);
  for (const auto& file : files) {
    for (const auto& room : matches(file.text, R"(^\s*#\s*include\s*["<]aetos/([a-z_]+)/)"))
      EXPECT_EQ(objection(file.room, room), "") << file.path;
    // A private header lies beside its source: a path with folders would be a way around the floors.
    for (const auto& header : matches(file.text, R"re(^\s*#\s*include\s*"([^"]+)")re"))
      EXPECT_TRUE(header.rfind("aetos/", 0) == 0 || header.find('/') == std::string::npos)
          << file.path << " includes " << header;
  }
}

TEST(House, KernelsKnowNoRanksFilesOrTerminals) {
  for (const auto& file : sources_of(test::source_dir())) {
    if (kFloor.count(file.room) == 0 || kFloor.at(file.room) != 2) continue;
    for (const auto& header : matches(file.text, R"(^\s*#\s*include\s*<([^>]+)>)"))
      EXPECT_TRUE(header != "mpi.h" && header != "hdf5.h" && header != "iostream" && header != "fstream" &&
                  header != "cstdio" && header != "filesystem" && header != "fftw3-mpi.h")
          << file.path << " includes <" << header << ">";
  }
}

TEST(House, TheWorldAppearsInMainAlone) {
  for (const auto& file : sources_of(test::source_dir())) {
    // Comments may name it.
    const auto uses = matches(file.text, R"(^(?!\s*//).*?(MPI_COMM_WORLD))");
    EXPECT_TRUE(uses.empty() || file.path == fs::path("src/cli/main.cpp")) << file.path;
  }
}

}  // namespace
}  // namespace aetos
