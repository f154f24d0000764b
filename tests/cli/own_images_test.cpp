#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "aetos/io/structure_files.hpp"
#include "support/python.hpp"
#include "support/small_run.hpp"

/// Images of another program, as a user brings them: a stack, and its angles in a text file beside it.
namespace aetos::test {
namespace {

class OwnImages : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run_aetos("simulate " + write_small_run(folder_)).code, 0);
    const auto converted = run_aetos("convert " + at("run/tilt_series.h5") + " " + at("mine.mrc"));
    ASSERT_EQ(converted.code, 0) << converted.output;
    config_ = folder_.write("mine.yaml",
                            "output: mine\nstages: [reconstruct, trace]\ntrace: {species: [Zr]}\n"
                            "reconstruct: {input: mine.mrc, iterations: 20, projector: real-space}\n");
  }
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
  std::string config_;
};

TEST_F(OwnImages, OddOnesAreToldAndSpoilNothing) {
  std::string stack = read_file(at("mine.mrc"));
  constexpr std::size_t header = 1024, image = 30 * 30 * sizeof(float);
  ASSERT_EQ(stack.size(), header + 15 * image);
  std::fill_n(stack.begin() + header + 4 * image, image, '\0');  // a lost one
  folder_.write("mine.mrc", stack);
  std::string angles = read_file(at("mine.rawtlt"));
  ASSERT_NE(angles.find("\n10\n"), std::string::npos) << angles;
  folder_.write("mine.rawtlt", angles.replace(angles.find("\n10\n"), 4, "\n360\n"));

  const auto outcome = run_aetos("run " + config_);
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  for (const char* told :
       {"projections 7 and 8 have the same angle (0 and 360 degrees); both are used",
        "mine.mrc are zero everywhere: they have no R", "mine.mrc have one value everywhere"})
    EXPECT_NE(outcome.output.find(told), std::string::npos) << told << ": " << outcome.output;
  const auto summary = nlohmann::json::parse(read_file(at("mine/summary.json")));
  const auto& each = summary["reconstruct"]["r_factor_per_projection"];
  ASSERT_EQ(each.size(), 15u);
  for (std::size_t i = 0; i < each.size(); ++i) EXPECT_EQ(each[i].is_null(), i == 4) << i;
  EXPECT_LT(summary["reconstruct"]["r_factor"].get<double>(), 0.4);
  EXPECT_EQ(summary["trace"]["atoms"], 6);

  ASSERT_EQ(run_aetos("run " + config_ + " --output " + at("ranks"), 3).code, 0);
  EXPECT_EQ(read_file(at("mine/atoms.extxyz")), read_file(at("ranks/atoms.extxyz")));
}

TEST_F(OwnImages, InAnyUnitGiveTheSameAtoms) {
  ASSERT_EQ(run_aetos("run " + config_).code, 0);
  const std::string stack = read_file(at("mine.mrc"));
  for (const float unit : {1e-30F, 1e30F}) {
    std::string other = stack;
    for (std::size_t i = 1024; i + sizeof(float) <= other.size(); i += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, other.data() + i, sizeof(float));
      value *= unit;
      std::memcpy(other.data() + i, &value, sizeof(float));
    }
    folder_.write("mine.mrc", other);
    const auto outcome = run_aetos("run " + config_ + " --overwrite --output " + at("unit"));
    ASSERT_EQ(outcome.code, 0) << outcome.output;
    const auto expected = io::read_structure(at("mine/atoms.extxyz")),
               found = io::read_structure(at("unit/atoms.extxyz"));
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_LT((found.position[i] - expected.position[i]).norm(), 1e-6) << i;
  }
}

TEST_F(OwnImages, InAnyUnitKeepTheirCounts) {
  if (!python_has("h5py")) GTEST_SKIP() << "python3-h5py is not installed";
  const auto script = folder_.write("unit.py", R"(
import sys, h5py
f, unit = h5py.File(sys.argv[1], 'r+'), 2.0 ** float(sys.argv[2])
f['data/adf_noisy/data'][...] *= unit
f['aetos'].attrs['electrons_per_pixel'] /= unit
)");
  const auto trace = [&](const std::string& series, const std::string& run) {
    const auto outcome = run_aetos("run " + config_ + " --set reconstruct.input=" + at(series) +
                                   " --set reconstruct.signal=adf_noisy --output " + at(run));
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    return nlohmann::json::parse(read_file(at(run + "/summary.json")))["trace"];
  };
  const auto expected = trace("run/tilt_series.h5", "as-simulated");
  EXPECT_NEAR(expected["refinement"]["chi_square"].get<double>(), 1, 0.5);
  for (const char* power : {"-100", "100"}) {
    std::filesystem::copy_file(at("run/tilt_series.h5"), at("unit.h5"),
                               std::filesystem::copy_options::overwrite_existing);
    ASSERT_EQ(run_python(script, at("unit.h5") + " " + power), 0);
    const auto found = trace("unit.h5", "unit" + std::string(power));
    EXPECT_NEAR(found["refinement"]["chi_square"].get<double>(),
                expected["refinement"]["chi_square"].get<double>(), 0.01);
    EXPECT_NEAR(found["crlb_pm"].get<double>(), expected["crlb_pm"].get<double>(), 0.01);
  }
}

TEST_F(OwnImages, WithoutAnglesAreRefusedWithTheWaysToGiveThem) {
  std::filesystem::remove(at("mine.rawtlt"));
  const auto outcome = run_aetos("run " + config_);
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  for (const char* way : {"theta_deg", "euler_deg", ".rawtlt"})
    EXPECT_NE(outcome.output.find(way), std::string::npos) << way << ": " << outcome.output;
  EXPECT_FALSE(std::filesystem::exists(at("mine")));
}

}  // namespace
}  // namespace aetos::test
