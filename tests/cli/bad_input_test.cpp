#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/small_run.hpp"

/// What a user does wrong ends in one message, exit code 2, and nothing written.
namespace aetos::test {
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

struct BadCase {
  const char* name;
  const char* what;  ///< replaced in the small config
  const char* by;
  const char* message;  ///< a part of the one message
};

class BadConfig : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadConfig, EndsWithCodeTwoAndWritesNothing) {
  const auto& bad = GetParam();
  TemporaryFolder folder;
  const auto config = write_small_run(folder, replaced(small_config(), bad.what, bad.by));
  const auto outcome = run_aetos("run " + config);
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  EXPECT_NE(outcome.output.find(bad.message), std::string::npos) << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadConfig,
    ::testing::Values(
        BadCase{"UnknownKey", "convergence_mrad", "convergance_mrad", "convergence_mrad"},
        BadCase{"WrongType", "voltage_kV: 300", "voltage_kV: high", "voltage_kV"},
        BadCase{"UnitSuffix", "voltage_kV: 300", "voltage_kV: 300kV", "voltage_kV"},
        BadCase{"NegativeSize", "pixel_A: 0.4", "pixel_A: -0.4", "pixel_A"},
        BadCase{"ZeroSlice", "slice_A: 2.0", "slice_A: 0", "slice_A"},
        BadCase{"OuterBelowInner", "outer_mrad: 60", "outer_mrad: 30", "outer_mrad"},
        BadCase{"OuterEqualsInner", "outer_mrad: 60", "outer_mrad: 39.4", "outer_mrad"},
        BadCase{"NegativeInner", "inner_mrad: 39.4", "inner_mrad: -1", "inner_mrad"},
        BadCase{"DetectorBeyondTheGrid", "inner_mrad: 39.4, outer_mrad: 60",
                "inner_mrad: 70, outer_mrad: 200", "65.6"},
        BadCase{"ConvergenceBeyondTheBand", "convergence_mrad: 30", "convergence_mrad: 80", "sampling"},
        BadCase{"NoTilts", "{start: -70, stop: 70, step: 10}", "[]", "tilts"},
        BadCase{"ZeroStep", "step: 10", "step: 0", "step"},
        BadCase{"WrongSignOfStep", "step: 10", "step: -10", "step"},
        BadCase{"MissingSpecimen", "atoms.extxyz", "nowhere.extxyz", "nowhere.extxyz"},
        BadCase{"TwoDoses", "dose_e_per_A2: 90000", "dose_e_per_A2: 9, dose_total_e_per_A2: 90", "dose"},
        BadCase{"CurrentWithoutDwell", "dose_e_per_A2: 90000", "screen_current_pA: 30", "dwell_us"},
        BadCase{"BothThermalForms", "debye_waller_B_A2: 0.3",
                "debye_waller_B_A2: 0.3, rms_displacement_A: 0.06", "rms_displacement_A"},
        BadCase{"ElementWithoutB", "debye_waller_B_A2: 0.3", "debye_waller_B_A2: {O: 0.3}", "Zr"},
        BadCase{"SolverOfOtherProblems", "resire-nesterov", "lcl", "differential equations"},
        BadCase{"CalibrationByAWord", "slice_A: 2.0", "slice_A: 2.0}\npreprocess: {calibrate: silicon",
                "calibrate"},
        BadCase{"UnknownMethod", "resire-nesterov", "resire-fast", "resire"},
        BadCase{"DuplicateKey", "seed: 7", "seed: 7\nseed: 8", "seed"}),
    [](const auto& c) { return c.param.name; });

struct BadAtoms {
  const char* name;
  const char* what;
  const char* by;
  const char* message;
};

class BadAtomFile : public ::testing::TestWithParam<BadAtoms> {};

TEST_P(BadAtomFile, NamesFileAndLine) {
  const auto& bad = GetParam();
  TemporaryFolder folder;
  const auto config = write_small_run(folder);
  folder.write("atoms.extxyz", replaced(small_atoms(), bad.what, bad.by));
  const auto outcome = run_aetos("run " + config);
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  EXPECT_NE(outcome.output.find("atoms.extxyz"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find(bad.message), std::string::npos) << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
}

INSTANTIATE_TEST_SUITE_P(Cases, BadAtomFile,
                         ::testing::Values(BadAtoms{"WrongCount", "6\n", "7\n", "7"},
                                           BadAtoms{"NotANumber", "2.6 0.3 0.4", "2.6 nan 0.4", ":4"},
                                           BadAtoms{"CommaDecimal", "2.6 0.3 0.4", "2,6 0.3 0.4", ":4"},
                                           BadAtoms{"UnknownElement", "Zr 2.6", "Q 2.6", ":4"},
                                           BadAtoms{"NumberZero", "Zr 2.6", "0 2.6", ":4"},
                                           BadAtoms{"NumberBeyondTheTable", "Zr 2.6", "104 2.6", ":4"}),
                         [](const auto& c) { return c.param.name; });

TEST(BadInput, CheckTellsAllErrorsAtOnce) {
  TemporaryFolder folder;
  auto bad = replaced(small_config(), "convergence_mrad", "convergance_mrad");
  bad = replaced(replaced(bad, "pixel_A: 0.4", "pixel_A: -0.4"), "species: [Zr]", "species: [Zx]");
  const auto outcome = run_aetos("check " + write_small_run(folder, bad));
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  for (const char* part : {"small.yaml:6", "convergance_mrad", "small.yaml:9", "-0.4", "small.yaml:13", "Zx"})
    EXPECT_NE(outcome.output.find(part), std::string::npos) << part << " in " << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
}

TEST(BadInput, OneMessageFromFourRanks) {
  TemporaryFolder folder;
  const auto config =
      write_small_run(folder, replaced(small_config(), "convergence_mrad", "convergance_mrad"));
  const auto outcome = run_aetos("run " + config, 4);
  EXPECT_EQ(outcome.code, 2);
  const std::string word = "convergance_mrad";
  std::size_t messages = 0;
  for (auto at = outcome.output.find(word); at != std::string::npos; at = outcome.output.find(word, at + 1))
    ++messages;
  EXPECT_EQ(messages, 1u) << outcome.output;
}

TEST(BadInput, CopiesOfSrunWithoutPmiAreRecognised) {
  TemporaryFolder folder;
  const auto config = write_small_run(folder);
  const auto outcome = run_shell("env SLURM_NTASKS=4 SLURM_PROCID=2 " AETOS_BINARY " run " + config);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.output.find("--mpi=pmix"), std::string::npos) << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "run"));
}

TEST(BadInput, FolderThatMayNotBeWritten) {
  TemporaryFolder folder;
  const auto config = write_small_run(folder);
  folder.write("taken", "a file");
  const auto outcome = run_aetos("run " + config + " --output " + (folder.path() / "taken").string());
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  EXPECT_EQ(read_file(folder.path() / "taken"), "a file");
}

TEST(BadInput, NamesAndCommentsThatAreNotUtf8) {
  TemporaryFolder folder;
  folder.write("latin.xyz", "1\nd\xe9j\xe0 vu, 5 \xc5\nZr 0 0 0\n");
  const auto info = run_aetos("info --json " + (folder.path() / "latin.xyz").string());
  EXPECT_EQ(info.code, 0) << info.output;
  EXPECT_TRUE(nlohmann::json::accept(info.output)) << info.output;

  const auto place = folder.path() / "r\xe9sultat";
  std::filesystem::create_directory(place);
  folder.write("r\xe9sultat/atoms.extxyz", small_atoms());
  const auto config = folder.write("r\xe9sultat/small.yaml", small_config());
  const auto checked = run_aetos("check --json " + config);
  EXPECT_EQ(checked.code, 0) << checked.output;
  const auto outcome = run_aetos("simulate " + config);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  const auto verified = run_aetos("verify " + (place / "run").string());
  EXPECT_EQ(verified.code, 0) << verified.output;
  const auto refused = run_aetos("simulate " + config + " --output " + (place / "other").string());
  EXPECT_EQ(refused.code, 2) << refused.output;
}

TEST(BadInput, UsageErrors) {
  EXPECT_EQ(run_aetos("").code, 2);
  EXPECT_EQ(run_aetos("run").code, 2);
  EXPECT_EQ(run_aetos("fly config.yaml").code, 2);
  EXPECT_EQ(run_aetos("run nowhere.yaml").code, 2);
  EXPECT_EQ(run_aetos("--help").code, 0);
  EXPECT_EQ(run_aetos("--version").code, 0);
}

TEST(Interrupt, EndsACommandThatKeepsNoWork) {
  TemporaryFolder folder;
  const auto pipe = (folder.path() / "atoms.xyz").string();  // that nobody ever writes
  ASSERT_EQ(run_shell("mkfifo " + pipe).code, 0);
  const auto outcome =
      run_aetos("info " + pipe, 1, "timeout --preserve-status --signal=INT --kill-after=20 2");
  EXPECT_EQ(outcome.code, 128 + SIGINT) << outcome.output;
}

}  // namespace
}  // namespace aetos::test
