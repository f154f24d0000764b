#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "aetos/parallel/communicator.hpp"
#include "aetos/pipeline/run_folder.hpp"

/// summary.json and what is said of it at the end of a run.
namespace aetos::pipeline {

/// summary.json of the folder, or an empty object; the same on every rank. Collective.
nlohmann::json read_summary(const Communicator& comm, const std::filesystem::path& folder);
void write_summary(const std::filesystem::path& folder, const nlohmann::json& summary);

/// Stage, wall and processor time, share of the run, imbalance between ranks, peak memory.
std::string performance_table(const nlohmann::json& summary);

/// The result in a few lines: atoms found, identified, RMSD, and where the report is.
std::string result_lines(const nlohmann::json& summary, const std::filesystem::path& folder);

/// Gives every rank the root's records.
void share_fingerprints(const Communicator& comm, std::map<std::string, StageRecord>& records);

}  // namespace aetos::pipeline
