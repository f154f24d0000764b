#include "aetos/pipeline/run_summary.hpp"

#include <fmt/format.h>

#include "aetos/core/log.hpp"
#include "aetos/core/progress.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/pipeline/plan.hpp"

namespace aetos::pipeline {
namespace {

using Json = nlohmann::json;

std::string number_or_dash(const Json& stage, const char* key, const char* format, double scale = 1) {
  if (!stage.contains(key) || !stage[key].is_number()) return "-";
  return fmt::format(fmt::runtime(format), stage[key].get<double>() * scale);
}

}  // namespace

Json read_summary(const Communicator& comm, const std::filesystem::path& folder) {
  std::string text = "{}";
  if (comm.is_root() && std::filesystem::exists(folder / files::summary))
    text = io::read_text_file((folder / files::summary).string());
  const auto summary = Json::parse(comm.broadcast_string(text), nullptr, false);
  return summary.is_object() ? summary : Json::object();
}

void write_summary(const std::filesystem::path& folder, const Json& summary) {
  io::write_file_atomically(folder / files::summary, io::json_text(summary, 2) + "\n");
}

std::string performance_table(const Json& summary) {
  double total = 0;
  for (const auto& [name, stage] : summary.items())
    if (stage.is_object() && stage.contains("wall_s")) total += stage["wall_s"].get<double>();
  std::string table = fmt::format("{:<14}{:>10}{:>10}{:>8}{:>11}{:>10}\n", "stage", "wall s", "cpu s",
                                  "share", "imbalance", "MiB/rank");
  for (const char* name : {"simulate", "preprocess", "reconstruct", "trace", "compare", "analyze"}) {
    if (!summary.contains(name) || !summary[name].contains("wall_s")) continue;
    const auto& stage = summary[name];
    const double wall = stage["wall_s"];
    table += fmt::format("{:<14}{:>10.2f}{:>10.2f}{:>7.1f}%{:>11.3f}{:>10.0f}\n", name, wall,
                         stage["cpu_s"].get<double>(), total > 0 ? 100 * wall / total : 0,
                         stage.value("imbalance", 1.0), stage["peak_memory_MiB"].get<double>());
    if (!stage.contains("kernels")) continue;
    for (const auto& [kernel, seconds] : stage["kernels"].items())
      table += fmt::format("  {:<12}{:>10}{:>10.2f}{:>7.1f}%\n", kernel, "", seconds.get<double>(),
                           100 * seconds.get<double>() / std::max(1e-9, stage["cpu_s"].get<double>()));
  }
  table.pop_back();
  return table;
}

std::string result_lines(const Json& summary, const std::filesystem::path& folder) {
  std::string lines;
  if (summary.contains("trace"))
    lines += fmt::format("atoms found: {}\n", number_or_dash(summary["trace"], "atoms", "{:.0f}"));
  if (summary.contains("compare"))
    lines += fmt::format("identified:  {} %\nRMSD:        {} pm\n",
                         number_or_dash(summary["compare"], "identified_fraction", "{:.1f}", 100),
                         number_or_dash(summary["compare"], "rmsd_pm", "{:.1f}"));
  lines += fmt::format("report:      {}", (folder / files::report).string());
  return lines;
}

void share_fingerprints(const Communicator& comm, std::map<std::string, StageRecord>& records) {
  Json json = Json::object();
  for (const auto& [name, record] : records)
    json[name] = {{"fingerprint", record.fingerprint},
                  {"keys", record.keys},
                  {"inputs", record.inputs},
                  {"extent", record.extent}};
  const auto shared = Json::parse(comm.broadcast_string(io::json_text(json)));
  records.clear();
  for (const auto& [name, record] : shared.items())
    records[name] = {.fingerprint = record.at("fingerprint"),
                     .keys = record.at("keys"),
                     .inputs = record.at("inputs"),
                     .extent = record.at("extent")};
}

}  // namespace aetos::pipeline
