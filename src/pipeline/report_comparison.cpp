#include <algorithm>
#include <array>
#include <cmath>

#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

using Json = nlohmann::json;

std::vector<double> numbers(const Json& object, const std::string& key) {
  std::vector<double> out;
  if (!object.is_object() || !object.contains(key) || !object[key].is_array()) return out;
  for (const auto& v : object[key]) out.push_back(v.is_number() ? v.get<double>() : std::nan(""));
  return out;
}

std::string counts_table(const Json& s, const Json& trace) {
  const auto whole = [&](const char* key) { return format(number(s, key)); };
  return table({"", "this run", "published, Zr1"},
               {{"Atoms of the reference", whole("reference_atoms"), "15,392"},
                {"Atoms traced", whole("traced_atoms"), "–"},
                {"Matched within " + format(number(s, "match_radius_A"), 1) + " Å", whole("matched"), "–"},
                {"Missing", whole("missing_atoms"), "–"},
                {"False", whole("false_atoms"), "–"},
                {"Identified (right species)", format_percent(number(s, "identified_fraction")), "97.2 %"},
                {"RMSD, 3D (pm)", format(number(s, "rmsd_pm"), 1), "28"},
                {"Bound set by the noise (pm)", format(number(trace, "crlb_pm"), 1), "–"}});
}

std::string displacement_figure(const Run& run, const Json& s) {
  if (!run.has(files::displacements)) return {};
  const auto csv = io::read_text_file((run.folder / files::displacements).string());
  const auto h = histogram(csv_column(csv, "distance_pm"), 30);
  if (h.counts.empty()) return {};
  std::vector<Mark> marks;
  if (const auto rmsd = number(s, "rmsd_pm")) marks.push_back({*rmsd, "RMSD " + format(*rmsd, 1) + " pm"});
  return figure("Displacements",
                histogram_plot({.label = "distance from the true place (pm)"}, {.label = "atoms"}, h.edges,
                               h.counts, marks, "Histogram of the matched atoms' displacements"),
                "Distance of each matched atom from its reference atom, the mean shift removed. Data: "
                "displacements.csv");
}

std::string direction_figure(const Json& s) {
  std::vector<Bar> bars;
  const auto axes = numbers(s, "rmsd_axis_pm");
  const std::array names{"along x", "along y (tilt axis)", "along z (beam)"};
  const auto add = [&](const std::string& label, std::optional<double> value, bool secondary) {
    if (value && std::isfinite(*value)) bars.push_back({label, *value, format(*value, 1) + " pm", secondary});
  };
  for (std::size_t a = 0; a < std::min(axes.size(), names.size()); ++a) add(names[a], axes[a], false);
  add("3D, missing wedge", number(s, "rmsd_missing_wedge_pm"), true);
  add("3D, elsewhere", number(s, "rmsd_elsewhere_pm"), true);
  if (bars.empty()) return {};
  return figure("RMSD by direction and by place",
                bar_plot(bars, "RMSD along each axis, and in and off the missing wedge"),
                "Above: components, which add in squares to the RMSD. Below: atoms that lie in the missing "
                "wedge as seen "
                "from the centre, and all others.");
}

std::string notes(const Json& s) {
  std::string out;
  if (s.contains("notes") && s["notes"].is_array())
    for (const auto& note : s["notes"])
      if (note.is_string()) out += paragraph("Note: " + escape(note.get<std::string>()));
  return out;
}

}  // namespace

std::string comparison_section(const Run& run) {
  if (!run.has(files::comparison)) return {};
  const auto details =
      Json::parse(io::read_text_file((run.folder / files::comparison).string()), nullptr, false);
  if (!details.is_object())
    return section("comparison", "Comparison", paragraph("comparison.json is not JSON."));
  const Json s = details.contains("summary") ? details["summary"] : run.stage("compare");
  std::vector<std::string> plots;
  for (auto f : {displacement_figure(run, s), direction_figure(s)})
    if (!f.empty()) plots.push_back(std::move(f));
  const auto source = paragraph(
      "Beside this run: the published multislice validation of the Zr1 particle of the Zr-ZrO₂ study (50 "
      "simulated "
      "projections, 4 frozen phonons). It is another, larger particle: a yardstick, not a target.");
  return section(
      "comparison", "Comparison with the reference",
      (plots.empty() ? "" : row(plots, 2)) + counts_table(s, run.stage("trace")) + source + notes(s));
}

}  // namespace aetos::pipeline::report
