#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "aetos/config/load.hpp"
#include "aetos/io/atomic_file.hpp"
#include "support/shared_data.hpp"

/// What the README and the documentation show must be true.
namespace aetos {
namespace {

namespace fs = std::filesystem;

/// Blocks of lines indented by four blanks, without the indent.
std::vector<std::string> code_blocks(const std::string& markdown) {
  std::vector<std::string> blocks;
  bool inside = false;
  std::istringstream lines(markdown);
  for (std::string line; std::getline(lines, line);) {
    const bool code = line.starts_with("    ");
    if (code && !inside) blocks.emplace_back();
    if (code) blocks.back() += line.substr(4) + "\n";
    inside = code;
  }
  return blocks;
}

TEST(Readme, ItsConfigsAreValid) {
  const auto folder = fs::temp_directory_path() / ("aetos readme " + std::to_string(getpid()));
  fs::create_directories(folder);
  fs::copy_file(test::source_dir() / "configs/specimens/small.extxyz", folder / "particle.extxyz",
                fs::copy_options::overwrite_existing);
  for (const char* name : {"projections.mat", "angles.mat"})
    std::ofstream(folder / name) << "its content is not read";
  int configs = 0;
  for (const auto& block : code_blocks(io::read_text_file((test::source_dir() / "README.md").string()))) {
    if (!block.starts_with("output:")) continue;
    ++configs;
    std::ofstream(folder / "mine.yaml") << block;
    const auto reading = config::read_config((folder / "mine.yaml").string());
    for (const auto& error : reading.errors) ADD_FAILURE() << error.what() << "\nin\n" << block;
    EXPECT_GE(reading.master.stages.size(), 2U);
  }
  EXPECT_EQ(configs, 2);
  fs::remove_all(folder);
}

TEST(Readme, LinksLeadSomewhere) {
  std::vector<fs::path> pages{test::source_dir() / "README.md", test::source_dir() / "jobs/README.md"};
  for (const auto& entry : fs::directory_iterator(test::source_dir() / "docs"))
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  const std::regex link("\\]\\(([^)#]+)\\)");
  for (const auto& page : pages) {
    const std::string text = io::read_text_file(page.string());
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
      const std::string target = (*it)[1];
      if (target.find("://") == std::string::npos) {
        EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page << " points to " << target;
      }
    }
  }
}

}  // namespace
}  // namespace aetos
