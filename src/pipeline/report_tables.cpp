#include <algorithm>
#include <array>
#include <sstream>

#include "aetos/core/progress.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

using Json = nlohmann::json;

constexpr std::array kStages{"simulate", "preprocess", "reconstruct", "trace", "compare", "analyze"};
constexpr std::size_t kMostWarnings = 50;

double total(const Run& run, const std::string& key) {
  double sum = 0;
  for (const char* name : kStages) sum += number(run.stage(name), key).value_or(0);
  return sum;
}

Headline wall_time(double wall_s, double cpu_s) {
  const double scale = wall_s < 120 ? 1 : wall_s < 7200 ? 60 : 3600;
  const char* unit = wall_s < 120 ? "s" : wall_s < 7200 ? "min" : "h";
  return {format(wall_s / scale, 1), unit, "Wall time", format_duration(cpu_s) + " of processor time"};
}

std::string by_species(const Json& stage) {
  std::string out;
  if (stage.contains("by_species") && stage["by_species"].is_object())
    for (const auto& [symbol, count] : stage["by_species"].items())
      if (count.is_number()) out += (out.empty() ? "" : ", ") + format(count.get<double>()) + " " + symbol;
  return out;
}

/// Warnings of the summary, and of the log where the summary has none (a run that was cut short).
std::vector<std::string> warnings_of(const Run& run) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& w) {
    if (std::find(out.begin(), out.end(), w) == out.end()) out.push_back(w);
  };
  if (run.summary.contains("warnings") && run.summary["warnings"].is_array())
    for (const auto& w : run.summary["warnings"])
      if (w.is_string()) add(w.get<std::string>());
  if (run.has(files::log)) {
    std::istringstream log(io::read_text_file((run.folder / files::log).string()));
    const std::string word = "  warning: ";  // after the time
    for (std::string line; std::getline(log, line);)
      if (const auto at = line.find(word); at != std::string::npos && at <= 24)
        add(line.substr(at + word.size()));
  }
  return out;
}

}  // namespace

const Json& Run::stage(const std::string& name) const {
  static const Json nothing = Json::object();
  const auto found = summary.find(name);
  return found != summary.end() && found->is_object() ? *found : nothing;
}

std::string headline_section(const Run& run) {
  std::vector<Headline> items;
  if (const auto& trace = run.stage("trace"); !trace.empty())
    items.push_back({format(number(trace, "atoms")), "", "Atoms found", by_species(trace)});
  if (const auto& compare = run.stage("compare"); !compare.empty()) {
    const auto fraction = number(compare, "identified_fraction");
    items.push_back({fraction ? format(100 * *fraction, 1) : "–", fraction ? "%" : "", "Identified",
                     "of " + format(number(compare, "reference_atoms")) + " atoms"});
    const auto rmsd = number(compare, "rmsd_pm");
    items.push_back({format(rmsd, 1), rmsd ? "pm" : "", "RMSD",
                     "3D, over " + format(number(compare, "matched")) + " matched"});
  }
  if (const auto& reconstruct = run.stage("reconstruct"); !reconstruct.empty())
    items.push_back({format(number(reconstruct, "r_factor"), 4), "", "R-factor",
                     format(number(reconstruct, "iterations")) + " iterations"});
  if (const double wall = total(run, "wall_s"); wall > 0)
    items.push_back(wall_time(wall, total(run, "cpu_s")));
  return items.empty() ? "" : headlines(items);
}

std::string warnings_section(const Run& run) {
  const auto warnings = warnings_of(run);
  if (warnings.empty()) return {};
  std::string list = "<ul class=\"warnings\">\n";
  for (std::size_t i = 0; i < std::min(kMostWarnings, warnings.size()); ++i)
    list += "<li>" + escape(warnings[i]) + "</li>\n";
  list += "</ul>\n";
  if (warnings.size() > kMostWarnings)
    list += paragraph(escape(std::to_string(warnings.size() - kMostWarnings) + " more are in log.txt."));
  return section("warnings",
                 warnings.size() == 1 ? "One warning" : std::to_string(warnings.size()) + " warnings", list);
}

std::string performance_section(const Run& run) {
  const double wall = total(run, "wall_s");
  std::vector<std::vector<std::string>> rows;
  for (const char* name : kStages) {
    const auto& stage = run.stage(name);
    if (!number(stage, "wall_s")) continue;
    const double share = wall > 0 ? *number(stage, "wall_s") / wall : 0;
    rows.push_back({name, format(number(stage, "wall_s"), 1), format_percent(share),
                    format(number(stage, "cpu_s"), 1), format(number(stage, "ranks")),
                    format(number(stage, "imbalance"), 2), format(number(stage, "peak_memory_MiB"))});
    if (!stage.contains("kernels") || !stage["kernels"].is_object()) continue;
    for (const auto& [kernel, seconds] : stage["kernels"].items())
      if (seconds.is_number())
        rows.push_back({"· " + kernel, "", "", format(seconds.get<double>(), 1), "", "", ""});
  }
  if (rows.empty()) return {};
  std::string body = table({"Stage", "Wall time (s)", "Share", "Processor time (s)", "Ranks", "Imbalance",
                            "Peak memory (MiB/rank)"},
                           rows);
  const auto& simulate = run.stage("simulate");
  if (const auto done = number(simulate, "probe_slices"), cpu = number(simulate, "cpu_s");
      done && cpu && *cpu > 0)
    body += paragraph(escape(format(*done) + " wave-slice propagations, " + format(1e6 * *cpu / *done, 1) +
                             " µs of processor time each, everything included."));
  return section("performance", "Performance", body);
}

std::string settings_section(const Run& run) {
  std::string body;
  if (run.has(files::resolved_config))
    body += folded("Every key of the config, defaults included",
                   io::read_text_file((run.folder / files::resolved_config).string()));
  std::vector<std::vector<std::string>> rows;
  for (const char* name :
       {files::tilt_series, files::volume, files::atoms, files::comparison, files::displacements,
        files::rejected_peaks, files::traced_angles, files::summary, files::resolved_config, files::log}) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(run.folder / name, error);
    if (!error) rows.push_back({name, format_bytes(static_cast<double>(bytes))});
  }
  if (!rows.empty())
    body +=
        "<details><summary>Files of this run</summary>\n" + table({"File", "Size"}, rows) + "</details>\n";
  std::vector<std::string> origin;
  if (const auto commit = text(run.summary, "commit"); !commit.empty()) origin.push_back("commit " + commit);
  if (number(run.summary, "seed")) origin.push_back("seed " + run.summary["seed"].dump());
  std::string line;
  for (const auto& o : origin) line += (line.empty() ? "" : " · ") + o;
  if (!line.empty()) body += paragraph(escape("Made with " + line + "."));
  return body.empty() ? "" : section("settings", "Settings and files", body);
}

}  // namespace aetos::pipeline::report
