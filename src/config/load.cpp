#include "aetos/config/load.hpp"

#include <fmt/format.h>

#include "describe.hpp"

namespace aetos::config {
namespace {

/// The key alone stays relative to the config; --output is a --set of it, in the user's working directory.
void apply_sets(YamlNode& root, const Sets& sets, const std::optional<std::string>& output) {
  for (const auto& [key, value] : sets) io::set_by_path(root, key, value);
  if (output) io::set_by_path(root, "output", io::yaml_quoted(*output));
}

}  // namespace

Reading read_config(const std::string& path, const Sets& sets, const std::vector<Stage>& only_stages,
                    const std::optional<std::string>& output) {
  YamlNode root = io::read_yaml_file(path);
  apply_sets(root, sets, output);
  if (root.kind == YamlNode::Kind::null)
    throw InputError(path, "an empty config", "keys, as in configs/demo.yaml");
  if (root.kind != YamlNode::Kind::map)
    throw InputError(root.place, io::describe_found(root), "a map of keys");

  const auto& codec = describe_master();
  Reader reader(path, &codec.about.entries);
  Reading reading;
  codec.read(reader, root, reading.master);
  if (!reader.given("output"))
    reading.master.output = (reader.folder / reading.master.output).lexically_normal().string();
  validate(reader, reading.master, only_stages);
  reading.errors = std::move(reader.errors);
  reading.master.notes = std::move(reader.notes);
  return reading;
}

Master load(const std::string& path, const Sets& sets, const std::vector<Stage>& only_stages,
            const std::optional<std::string>& output) {
  auto [master, errors] = read_config(path, sets, only_stages, output);
  if (errors.size() == 1) throw errors.front();
  if (!errors.empty()) {
    std::string lines = fmt::format("{} errors", errors.size());
    for (const auto& error : errors) lines += std::string("\n  ") + error.what();
    throw InputError(path, lines);
  }
  return std::move(master);
}

std::vector<Stage> stages_of_command(const std::string& command) {
  for (Stage stage : kAllStages)
    if (command == stage_name(stage)) return {stage};
  return {};
}

}  // namespace aetos::config
