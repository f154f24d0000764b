#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aetos/config/master.hpp"
#include "aetos/core/error.hpp"

namespace aetos::config {

using Sets = std::vector<std::pair<std::string, std::string>>;  ///< --set KEY=VALUE, in order

/// A config as read, with everything that is wrong with it.
struct Reading {
  Master master;
  std::vector<InputError> errors;
};

/// Reads and checks a config: keys, values, and that the input files of the stages to run are there.
/// `only_stages`, where given, are run instead of those that the config names; `output` overrides its key
/// and, like paths given by
/// --set, is relative to the working directory. Throws InputError only where the YAML itself cannot be read.
Reading read_config(const std::string& path, const Sets& sets = {},
                    const std::vector<Stage>& only_stages = {},
                    const std::optional<std::string>& output = std::nullopt);

/// The same; throws one InputError that lists every error, one a line.
Master load(const std::string& path, const Sets& sets = {}, const std::vector<Stage>& only_stages = {},
            const std::optional<std::string>& output = std::nullopt);

/// The stages that a command runs, e.g. "trace"; none (so those of the config) for "run" and all other
/// commands.
std::vector<Stage> stages_of_command(const std::string& command);

/// config.resolved.yaml: every key with the value used, in a fixed order, paths absolute. Loading it gives
/// the same Master, and so the same text.
std::string resolved_yaml(const Master& master);

/// The keys that change what a stage computes, dotted, with their values. Not among them: project, output,
/// checkpoints, and reconstruct.iterations, which only adds work. Of input files only the name stands here:
/// their content is the caller's to compare.
std::map<std::string, std::string> stage_keys(const Master& master, Stage stage);
/// The same as one text, a line per key, for fingerprints.
std::string canonical_stage_text(const Master& master, Stage stage);

/// configs/schema.json and docs/config.md.
std::string json_schema();
std::string markdown_reference();

}  // namespace aetos::config
