#include "aetos/pipeline/run_folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "aetos/config/load.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"

namespace aetos::pipeline {
namespace {

namespace fs = std::filesystem;
using config::Stage;

constexpr auto kOrder = config::kAllStages;

std::string first_changed_key(const StageRecord& before, const StageRecord& now) {
  for (const auto& [key, value] : now.keys) {
    const auto old = before.keys.find(key);
    if (old == before.keys.end()) return key + " (it was not set)";
    if (old->second != value) return key + " (it was " + old->second + ", now " + value + ")";
  }
  for (const auto& [key, value] : before.keys)
    if (!now.keys.contains(key)) return key + " (it was " + value + ", now not set)";
  return {};
}

/// Files that only a run of AETOS leaves; a folder with none of them is free.
bool holds_a_run(const fs::path& folder) {
  for (const char* name : {files::record, files::summary, files::resolved_config, files::tilt_series,
                           files::preprocessed, files::volume, files::atoms, files::comparison})
    if (fs::exists(folder / name)) return true;
  return false;
}

void refuse_changed_keys(const fs::path& folder, const RunRecord& record,
                         const std::map<std::string, StageRecord>& wanted) {
  for (const auto& [stage, now] : wanted) {
    const auto before = record.stages.find(stage);
    if (before == record.stages.end()) continue;
    if (const auto key = first_changed_key(before->second, now); !key.empty())
      throw InputError(folder.string(), "the run there was made with another " + key,
                       "the same value (only keys that add work may change on resume), or another --output");
  }
}

bool may_add_stages(const RunRecord& record, const std::map<std::string, StageRecord>& wanted) {
  return std::none_of(wanted.begin(), wanted.end(),
                      [&](const auto& item) { return record.stages.contains(item.first); });
}

}  // namespace

std::optional<RunRecord> RunRecord::read(const fs::path& folder) {
  const auto path = folder / files::record;
  if (!fs::exists(path)) return std::nullopt;
  try {
    const auto json = nlohmann::json::parse(io::read_text_file(path.string()));
    RunRecord record;
    for (const auto& [name, stage] : json.at("stages").items())
      record.stages[name] = {.fingerprint = stage.at("fingerprint"),
                             .keys = stage.at("keys"),
                             .inputs = stage.value("inputs", std::map<std::string, std::string>{}),
                             .extent = stage.at("extent"),
                             .done = stage.at("done")};
    record.checksums = json.at("sha256");
    return record;
  } catch (const nlohmann::json::exception& e) {
    throw InputError(path.string(), std::string("not a run record (") + e.what() + ")",
                     "the file that a run left, or --overwrite");
  }
}

void RunRecord::write(const fs::path& folder) const {
  nlohmann::json json;
  json["aetos"] = kVersion;
  json["stages"] = nlohmann::json::object();
  for (const auto& [name, stage] : stages)
    json["stages"][name] = {{"fingerprint", stage.fingerprint},
                            {"keys", stage.keys},
                            {"inputs", stage.inputs},
                            {"extent", stage.extent},
                            {"done", stage.done}};
  json["sha256"] = checksums;
  io::write_file_atomically(folder / files::record, io::json_text(json, 1) + "\n");
}

std::map<std::string, StageRecord> stage_records(const Plan& plan, const RunRecord& existing) {
  std::map<std::string, StageRecord> records;
  std::map<std::string, std::string> digests;  // inputs are hashed once, however many stages read them
  for (Stage stage : plan.config.stages) {
    StageRecord record;
    record.keys = config::stage_keys(plan.config, stage);
    std::string text = std::string(kVersion) + "\n" + config::stage_name(stage) + "\n";
    for (const auto& [key, value] : record.keys) text += key + ": " + value + "\n";
    for (const auto& input : external_inputs(plan, stage)) {
      auto& digest = digests[input];
      if (digest.empty()) digest = io::sha256_hex_of_file(input);
      text += digest + "\n";
      record.inputs[input] = digest;
    }
    for (Stage earlier : stages_read_by(plan, stage)) {
      const std::string name = config::stage_name(earlier);
      const auto& source = records.contains(name) ? records : existing.stages;
      if (const auto found = source.find(name); found != source.end())
        text += found->second.fingerprint + " " + found->second.extent + "\n";
    }
    record.fingerprint = io::sha256_hex(text);
    // Keys that only add work are no part of a stage's own fingerprint, but stages after it depend on them.
    if (stage == Stage::reconstruct) record.extent = std::to_string(plan.config.reconstruct.iterations);
    records[config::stage_name(stage)] = std::move(record);
  }
  return records;
}

void admit(const Plan& plan, const std::map<std::string, StageRecord>& wanted, const RunRecord& existing,
           IfPresent if_present) {
  const auto& folder = plan.output;
  if (fs::exists(folder) && !fs::is_directory(folder))
    throw InputError(folder.string(), "is a file", "a folder for the run");
  if (!fs::exists(folder) || !holds_a_run(folder) || if_present == IfPresent::overwrite) return;
  const bool has_record = !existing.stages.empty();
  if (if_present == IfPresent::resume) {
    if (!has_record)
      throw InputError(folder.string(), "holds files of a run but no " + std::string(files::record),
                       "a run to resume, or --overwrite");
    refuse_changed_keys(folder, existing, wanted);
    return;
  }
  if (has_record && may_add_stages(existing, wanted)) return;
  throw InputError(folder.string(), "holds another run",
                   "--resume to go on with it, --overwrite to replace it, or another --output");
}

void prepare_folder(const Plan& plan, const std::map<std::string, StageRecord>& wanted, RunRecord& record,
                    IfPresent if_present) {
  const auto& folder = plan.output;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw InputError(folder.string(), "cannot be created (" + error.message() + ")",
                     "a folder that may be written");
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    throw InputError(folder.string(), "may not be written", "a folder with write permission");
  if (if_present == IfPresent::overwrite) {
    // Stages after the first one that is replaced were made from it and go with it.
    bool stale = false;
    for (Stage stage : kOrder) {
      const std::string name = config::stage_name(stage);
      stale = stale || wanted.contains(name);
      if (!stale) continue;
      for (const auto& file : all_outputs_of(stage)) {
        fs::remove(folder / file);
        record.checksums.erase(file);
      }
      fs::remove_all(folder / files::work / name);
      record.stages.erase(name);
    }
    fs::remove(folder / files::report);
    fs::remove(folder / files::xdmf);
    fs::remove(folder / files::log);
    if (record.stages.empty()) fs::remove(folder / files::summary);
  }
  for (const auto& [name, now] : wanted) {
    auto& kept = record.stages[name];
    if (kept.fingerprint != now.fingerprint) fs::remove_all(folder / files::work / name);
    if (!kept.same_as(now)) kept = now;
    fs::create_directories(folder / files::work / name);
  }
  record.write(folder);
}

}  // namespace aetos::pipeline
