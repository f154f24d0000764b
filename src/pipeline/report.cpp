#include "aetos/pipeline/report.hpp"

#include <algorithm>
#include <array>
#include <exception>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/yaml_document.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline {
namespace {

namespace fs = std::filesystem;
using report::Run;

Run open_run(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw InputError(folder.string(), "no such folder", "the folder of a run");
  Run run{.folder = folder};
  const std::array names{files::summary, files::tilt_series, files::preprocessing,
                         files::volume,  files::atoms,       files::comparison};
  if (std::none_of(names.begin(), names.end(), [&](const char* name) { return run.has(name); }))
    throw InputError(folder.string(), "holds none of the files of a run",
                     "summary.json, tilt_series.h5, volume.h5, atoms.extxyz or comparison.json");
  if (run.has(files::summary)) {
    const auto path = (folder / files::summary).string();
    run.summary = nlohmann::json::parse(io::read_text_file(path), nullptr, false);
    if (!run.summary.is_object()) throw InputError(path, "not a JSON object", "the summary of a run");
  }
  return run;
}

/// The project's name, or that of the folder.
std::string title_of(const Run& run) {
  if (run.has(files::resolved_config)) {
    try {
      const auto config = io::read_yaml_file((run.folder / files::resolved_config).string());
      if (const auto* project = config.find("project"); project && !project->scalar.empty())
        return project->scalar;
    } catch (const InputError&) {
      // A damaged copy of the config costs the page its title, no more.
    }
  }
  const auto folder = fs::weakly_canonical(run.folder);
  return folder.filename().empty() ? folder.parent_path().filename().string() : folder.filename().string();
}

std::string subtitle_of(const Run& run) {
  std::vector<std::string> done;
  for (const auto& [key, name] : {std::pair{"simulate", "simulated"}, std::pair{"preprocess", "preprocessed"},
                                  std::pair{"reconstruct", "reconstructed"}, std::pair{"trace", "traced"},
                                  std::pair{"compare", "compared"}, std::pair{"analyze", "analysed"}})
    if (!run.stage(key).empty()) done.emplace_back(name);
  std::string text;
  for (std::size_t i = 0; i < done.size(); ++i)
    text += (i == 0 ? "" : i + 1 == done.size() ? " and " : ", ") + done[i];
  if (text.empty()) text = "Files of a run";
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  const auto version = report::text(run.summary, "version");
  return text + " by AETOS" + (version.empty() ? "" : " " + version);
}

/// One part of the page; a file that cannot be read costs its part, not the page.
std::string guarded(std::string (*make)(const Run&), const Run& run, const char* title) {
  try {
    return make(run);
  } catch (const std::exception& e) {
    return report::section("", title,
                           report::paragraph("This part could not be made: " + report::escape(e.what())));
  }
}

/// Names of files after "Data: ", separated by commas, become links to those in the folder: a click away,
/// also offline.
std::string with_links(const std::string& body, const Run& run) {
  static const std::string word = "Data: ", letters = "abcdefghijklmnopqrstuvwxyz0123456789_-.";
  std::string out;
  std::size_t last = 0;
  for (std::size_t at = body.find(word); at != std::string::npos; at = body.find(word, last)) {
    at += word.size();
    out.append(body, last, at - last);
    while (true) {
      const std::size_t end = std::min(body.size(), body.find_first_not_of(letters, at));
      std::string file = body.substr(at, end - at);
      if (file.ends_with('.')) file.pop_back();
      const bool there = !file.empty() && file[0] != '.' && run.has(file.c_str());
      out += there ? "<a href=\"" + file + "\">" + file + "</a>" : file;
      at += file.size();
      if (!there || body.compare(at, 2, ", ") != 0) break;
      out += ", ";
      at += 2;
    }
    last = at;
  }
  return out.append(body, last);
}

}  // namespace

void write_report(const fs::path& run_dir) {
  const Run run = open_run(run_dir);
  std::string body = guarded(report::headline_section, run, "Summary");
  body += guarded(report::warnings_section, run, "Warnings");
  body += guarded(report::overview_section, run, "Overview");
  body += guarded(report::tilt_series_section, run, "Tilt series");
  body += guarded(report::preprocessing_section, run, "Preprocessing");
  body += guarded(report::volume_section, run, "Volume");
  body += guarded(report::atoms_section, run, "Atoms");
  body += guarded(report::view_section, run, "In three dimensions");
  body += guarded(report::comparison_section, run, "Comparison with the reference");
  body += guarded(report::structure_section, run, "Structure");
  body += guarded(report::performance_section, run, "Performance");
  body += guarded(report::settings_section, run, "Settings");
  io::write_file_atomically(run_dir / files::report,
                            report::page(title_of(run), subtitle_of(run), with_links(body, run)));
}

}  // namespace aetos::pipeline
