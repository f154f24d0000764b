#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "aetos/pipeline/plan.hpp"

/// The folder of a run: which stages it holds, made from what, and whether this run may use it.
namespace aetos::pipeline {

enum class IfPresent { refuse, resume, overwrite };

/// What run.json keeps of a stage.
struct StageRecord {
  std::string fingerprint;                    ///< of keys, inputs and the stages before
  std::map<std::string, std::string> keys;    ///< keys that change its results, with their values
  std::map<std::string, std::string> inputs;  ///< SHA-256 of each file from elsewhere that it reads, by path
  std::string extent;                         ///< how much was asked for, where that may grow (iterations)
  bool done = false;

  /// Whether a stage recorded as `other` needs nothing more to be this one.
  bool same_as(const StageRecord& other) const {
    return fingerprint == other.fingerprint && extent == other.extent;
  }
};

/// run.json: the stages that a folder holds or has begun.
struct RunRecord {
  std::map<std::string, StageRecord> stages;
  std::map<std::string, std::string> checksums;  ///< SHA-256 of each final file

  static std::optional<RunRecord> read(const std::filesystem::path& folder);
  void write(const std::filesystem::path& folder) const;
};

/// What each stage of a plan is made from. A stage that reads the output of an earlier one depends on its
/// record, in the plan or, if it ran before, in the folder (`existing`).
std::map<std::string, StageRecord> stage_records(const Plan& plan, const RunRecord& existing);

/// Decides whether the plan may use its folder, before anything is written. Throws InputError if the folder
/// holds another run, or a resumed run changed a key that alters results (named). Reads only.
void admit(const Plan& plan, const std::map<std::string, StageRecord>& wanted, const RunRecord& existing,
           IfPresent if_present);

/// Creates the folder and removes what `overwrite` replaces. Throws InputError if it cannot be written.
void prepare_folder(const Plan& plan, const std::map<std::string, StageRecord>& wanted, RunRecord& record,
                    IfPresent if_present);

}  // namespace aetos::pipeline
