// What is generated from the descriptions: the resolved config, the keys of a stage, schema and reference;
// and that every config of the project loads.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config_case.hpp"
#include "support/shared_data.hpp"

namespace aetos::config::test {
namespace {

namespace fs = std::filesystem;
using Generated = ConfigCase;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST_F(Generated, ResolvingTwiceGivesTheSameTextFromAnywhere) {
  const auto first = resolved_yaml(load_text(
      whole("microscope: {dose_e_per_A2: 9600, convergence_mrad: 0.1e2}\nscan: {field_A: 30}\n"
            "trace: {species: [Y, No], threshold: 1e-7}\nproject: \"a: 'b' # c\"\n"
            "reconstruct: {oversampling: [1.5, 3, 3], volume_px: [1, 2, 3]}\nmultislice: {window: full}\n")));
  const auto moved = write("deep/er/config.resolved.yaml", first);
  EXPECT_EQ(resolved_yaml(load(moved)), first);
  expect_contains(first, "species: [\"Y\", \"No\"]");
  expect_contains(first, "file: \"" + (folder_ / "atoms.xyz").string() + "\"");
  expect_contains(first, "step: 2");  // a default
}

TEST_F(Generated, ASpecimenThatIsBuiltResolvesToItself) {
  const auto master = load_text(
      whole(), {{"specimen.file", "none"},
                {"specimen.build",
                 "{kind: core-shell, radius_A: 20, core_radius_A: 8, core: {structure: fcc, elements: "
                 "[Zr], a_A: 4.53}, shell: {structure: amorphous, elements: [Si, N], composition: [3, "
                 "4], density_g_cm3: 3}}"}});
  ASSERT_TRUE(master.specimen && master.specimen->build && master.specimen->build->shell);
  EXPECT_EQ(master.specimen->build->shell->composition, (std::vector<double>{3, 4}));
  const auto resolved = resolved_yaml(master);
  EXPECT_EQ(resolved_yaml(load(write("r.yaml", resolved))), resolved);
}

TEST_F(Generated, ResolvingAPixelThatWasNotGivenLeavesItSo) {
  write("data.h5", "");
  const auto text = "reconstruct: {input: data.h5}\n";
  const auto resolved = resolved_yaml(load_text(text));
  EXPECT_FALSE(load(write("r.yaml", resolved)).scan_pixel_given);
  EXPECT_TRUE(load(write("r.yaml", resolved), {{"scan.pixel_A", "0.5"}}).scan_pixel_given);
}

TEST_F(Generated, EveryKeyOfTheReferenceStandsInTheResolvedConfig) {
  const auto resolved = resolved_yaml(load_text(whole()));
  const auto schema = nlohmann::json::parse(json_schema());
  for (const auto& [section, value] : schema["properties"].items()) {
    expect_contains(resolved, section + ":");
    if (!value.contains("properties")) continue;
    for (const auto& [key, unused] : value["properties"].items()) expect_contains(resolved, key + ":");
  }
}

TEST_F(Generated, StageKeysHoldWhatChangesResultsAndNothingElse) {
  const auto base = load_text(whole());
  const auto changed = [&](Stage stage, const std::string& key, const std::string& value) {
    return stage_keys(load_text(whole(), {{key, value}}), stage) != stage_keys(base, stage);
  };
  for (const auto& [key, value] : Sets{{"seed", "7"},
                                       {"microscope.defocus_A", "1"},
                                       {"detectors.0.outer_mrad", "100"},
                                       {"tilts.theta_deg", "[1]"},
                                       {"scan.field_A", "9"},
                                       {"multislice.slice_A", "1"},
                                       {"specimen.thermal.frozen_phonons", "2"}})
    EXPECT_TRUE(changed(Stage::simulate, key, value)) << key;
  for (const char* key : {"reconstruct.step", "reconstruct.oversampling", "scan.pixel_A"})
    EXPECT_TRUE(changed(Stage::reconstruct, key, "1")) << key;
  EXPECT_TRUE(changed(Stage::trace, "trace.min_distance_A", "1"));
  EXPECT_TRUE(changed(Stage::compare, "compare.match_radius_A", "2"));
  for (Stage stage : kAllStages)
    for (const auto& [key, value] : Sets{{"project", "x"},
                                         {"output", "x"},
                                         {"checkpoint_interval_s", "1"},
                                         {"reconstruct.iterations", "7"},
                                         {"stages", "[simulate]"}})
      EXPECT_FALSE(changed(stage, key, value)) << stage_name(stage) << " " << key;
  EXPECT_FALSE(changed(Stage::simulate, "reconstruct.step", "1"));
  EXPECT_FALSE(changed(Stage::reconstruct, "trace.min_distance_A", "1"));
}

TEST_F(Generated, StageKeysDoNotKnowWhereTheInputsLie) {
  const auto here = stage_keys(load_text(whole()), Stage::simulate);
  EXPECT_EQ(here.at("specimen.file"), "atoms.xyz");
  EXPECT_EQ(here.at("microscope.voltage_kV"), "300");
  EXPECT_EQ(canonical_stage_text(load_text(whole()), Stage::simulate).substr(0, 12), "detectors: [");
}

/// The schema says what the reader does: its defaults, and that a key is missing or unknown.
TEST_F(Generated, TheSchemaIsStrictAndHasEveryDefault) {
  const auto schema = nlohmann::json::parse(json_schema());
  EXPECT_EQ(schema["additionalProperties"], false);
  const auto& microscope = schema["properties"]["microscope"];
  EXPECT_EQ(microscope["additionalProperties"], false);
  EXPECT_EQ(microscope["properties"]["voltage_kV"]["default"], 300);
  EXPECT_EQ(microscope["properties"]["voltage_kV"]["minimum"], 10);
  const auto& build = schema["properties"]["specimen"]["properties"]["build"]["anyOf"][1];
  EXPECT_EQ(build["required"], nlohmann::json::array({"kind"}));
  EXPECT_EQ(schema["properties"]["detectors"]["items"]["required"], nlohmann::json::array({"name"}));
}

TEST_F(Generated, SchemaAndReferenceInTheProjectAreUpToDate) {
  EXPECT_EQ(read(aetos::test::source_dir() / "configs/schema.json"), json_schema())
      << "make it again: build/release/bin/aetos generate schema > configs/schema.json";
  EXPECT_EQ(read(aetos::test::source_dir() / "docs/config.md"), markdown_reference())
      << "make it again: build/release/bin/aetos generate reference > docs/config.md";
}

TEST_F(Generated, EveryConfigOfTheProjectLoads) {
  std::vector<fs::path> configs;
  for (const auto& entry : fs::directory_iterator(aetos::test::source_dir() / "configs"))
    if (entry.path().extension() == ".yaml") configs.push_back(entry.path());
  std::sort(configs.begin(), configs.end());
  ASSERT_GE(configs.size(), 7u);
  std::string skipped;
  for (const auto& config : configs) {
    const bool needs_data = read(config).find("shared/data") != std::string::npos;
    if (needs_data && !fs::exists(aetos::test::source_dir() / "../shared/data")) {
      skipped += " " + config.filename().string();
      continue;
    }
    SCOPED_TRACE(config);
    Master master;
    ASSERT_NO_THROW(master = load(config.string()));
    const auto text = resolved_yaml(master);
    EXPECT_EQ(resolved_yaml(load(write("resolved.yaml", text))), text);
  }
  if (!skipped.empty()) GTEST_SKIP() << "reference data is not here, so these were not read:" << skipped;
}

/// An editor that checks configs by the schema accepts them all, and what they resolve to.
TEST_F(Generated, EveryConfigFitsTheSchemaForAnotherValidator) {
  if (std::system("/usr/bin/python3 -c 'import jsonschema, yaml' > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "python3-jsonschema and python3-yaml are not here";
  const auto root = aetos::test::source_dir() / "configs";
  const auto resolved = write("config.resolved.yaml", resolved_yaml(load((root / "demo.yaml").string())));
  const auto wrong = write("wrong.yaml", "microscope: {convergance_mrad: 30}\n");
  const auto script =
      write("check.py",
            "import json, sys, yaml, jsonschema\n"
            "schema = json.load(open(sys.argv[1]))\n"
            "jsonschema.Draft202012Validator.check_schema(schema)\n"
            "for name in sys.argv[2:]: jsonschema.validate(yaml.safe_load(open(name)), schema)\n");
  const auto accepts = [&](const std::string& files) {
    return std::system(fmt::format("/usr/bin/python3 '{}' '{}' {} > /dev/null 2>&1", script,
                                   (root / "schema.json").string(), files)
                           .c_str()) == 0;
  };
  EXPECT_TRUE(accepts(fmt::format("'{}'", resolved)));
  EXPECT_TRUE(accepts(fmt::format("'{}'/*.yaml", root.string())));
  EXPECT_FALSE(accepts(fmt::format("'{}'", wrong)));
}

}  // namespace
}  // namespace aetos::config::test
