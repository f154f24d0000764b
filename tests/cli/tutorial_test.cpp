#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "support/process.hpp"
#include "support/shared_data.hpp"

/// docs/tutorial.md as a reader follows it: every file saved, every command run.
namespace aetos::test {
namespace {

/// What the tutorial has its reader do, in order.
struct Step {
  std::string file;  ///< to be saved under this name; empty: commands of a shell
  std::string text;
};

/// Fenced blocks: ```sh are commands, ```yaml NAME are files; others are what the program answers.
std::vector<Step> steps_of(const std::string& markdown) {
  std::vector<Step> steps;
  std::istringstream lines(markdown);
  bool inside = false, wanted = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = !inside;
      if (!inside) continue;
      std::istringstream head(line.substr(3));
      std::string kind, name;
      head >> kind >> name;
      wanted = kind == "sh" || (kind == "yaml" && !name.empty());
      if (wanted) steps.push_back({name, ""});
    } else if (inside && wanted) {
      steps.back().text += line + "\n";
    }
  }
  return steps;
}

TEST(Tutorial, EveryCommandWorksAndAtomsComeOut) {
  AETOS_NEEDS_SHARED("tomography/ta-film-area5/projections.mat");
  AETOS_NEEDS_SHARED("analysis/ta-film.extxyz");
  const TemporaryFolder folder;
  const auto steps = steps_of(read_file(source_dir() / "docs/tutorial.md"));
  ASSERT_GE(steps.size(), 6u);
  const auto bin = std::filesystem::path(AETOS_BINARY).parent_path().string();
  std::string said;
  for (const auto& step : steps) {
    const auto text =
        std::regex_replace(step.text, std::regex(R"(\.\./shared)"), std::string(AETOS_SHARED_DIR));
    if (!step.file.empty()) {
      folder.write(step.file, text);
      continue;
    }
    const auto outcome = run_shell(
        "cd '" + folder.path().string() + "' && set -e && export PATH='" + bin +
        "':\"$PATH\" OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1\n" + text);
    ASSERT_EQ(outcome.code, 0) << text << outcome.output;
    said += outcome.output;
  }
  const auto summary = nlohmann::json::parse(read_file(folder.path() / "ta/summary.json"));
  // Nearly every atom of the authors' volume of this area, and most of these in the authors' model of the
  // whole film.
  EXPECT_GT(summary["compare"]["identified_fraction"].get<double>(), 0.9);
  EXPECT_LT(summary["compare"]["rmsd_pm"].get<double>(), 25);
  const auto film = nlohmann::json::parse(read_file(folder.path() / "film/summary.json"))["compare"];
  EXPECT_GT(film["matched"].get<double>(), 0.8 * film["traced_atoms"].get<double>()) << film.dump(1);
  EXPECT_NE(read_file(folder.path() / "ta/report.html").find("Overview"), std::string::npos);
  EXPECT_NE(said.find("files are as the run recorded them"), std::string::npos);
}

}  // namespace
}  // namespace aetos::test
