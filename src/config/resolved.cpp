// The config as text again: config.resolved.yaml, and the keys that decide each stage's results.
#include <fmt/format.h>

#include "aetos/config/load.hpp"
#include "describe.hpp"

namespace aetos::config {
namespace {

/// Sections and keys that change what a stage computes; a section stands for all its keys.
const std::map<Stage, std::vector<std::string>>& deciding_keys() {
  static const std::map<Stage, std::vector<std::string>> keys{
      {Stage::simulate, {"seed", "specimen", "microscope", "detectors", "scan", "tilts", "multislice"}},
      {Stage::preprocess,
       {"scan.pixel_A", "tilts", "preprocess", "reconstruct.signal", "reconstruct.tilt_axis"}},
      {Stage::reconstruct, {"scan.pixel_A", "tilts", "preprocess", "reconstruct"}},
      {Stage::trace,
       {"seed", "specimen.thermal", "microscope", "detectors", "scan.pixel_A", "tilts", "multislice",
        "reconstruct.input", "reconstruct.signal", "trace"}},
      {Stage::compare,
       {"specimen.file", "specimen.build", "specimen.origin", "tilts", "trace.species", "compare"}},
      {Stage::analyze, {"seed", "specimen.file", "specimen.build", "specimen.origin", "analyze"}},
  };
  return keys;
}

bool is_input_file(const std::string& key) {
  for (const char* name : {"specimen.file",
                           "specimen.build.file",
                           "specimen.build.crystal.file",
                           "specimen.build.core.file",
                           "specimen.build.shell.file",
                           "specimen.build.second.file",
                           "specimen.thermal.configurations",
                           "tilts.file",
                           "preprocess.input",
                           "preprocess.shifts",
                           "reconstruct.input",
                           "reconstruct.support",
                           "reconstruct.truth",
                           "trace.input",
                           "trace.images",
                           "compare.model",
                           "compare.reference",
                           "analyze.input",
                           "analyze.volume",
                           "analyze.images"})
    if (key == name) return true;
  return false;
}

std::string key_text(const std::string& key, const YamlNode& value) {
  const bool file = is_input_file(key) && value.quoted;
  return file ? value.scalar.substr(value.scalar.find_last_of('/') + 1) : io::yaml_flow(value);
}

/// Every key with its value; maps are walked into, lists are values.
void flatten(const YamlNode& map, const std::string& prefix, std::map<std::string, std::string>& out) {
  for (const auto& [name, value] : map.members) {
    const std::string key = prefix + name;
    if (value.kind == YamlNode::Kind::map)
      flatten(value, key + ".", out);
    else
      out[key] = key_text(key, value);
  }
}

}  // namespace

std::string resolved_yaml(const Master& master) {
  return "# Every key with the value used. Running this file again gives the same results.\n" +
         io::yaml_block(describe_master().write(master), 2);
}

std::map<std::string, std::string> stage_keys(const Master& master, Stage stage) {
  std::map<std::string, std::string> all, chosen;
  flatten(describe_master().write(master), "", all);
  for (const auto& wanted : deciding_keys().at(stage))
    for (const auto& [key, value] : all)
      if (key == wanted || key.starts_with(wanted + ".")) chosen.emplace(key, value);
  chosen.erase("reconstruct.iterations");
  return chosen;
}

std::string canonical_stage_text(const Master& master, Stage stage) {
  std::string text;
  for (const auto& [key, value] : stage_keys(master, stage)) text += key + ": " + value + "\n";
  return text;
}

}  // namespace aetos::config
