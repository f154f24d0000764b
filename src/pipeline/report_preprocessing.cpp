#include <fmt/format.h>

#include <cmath>

#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

using Json = nlohmann::json;

/// One number of every projection.
template <class Pick>
std::vector<double> each(const Json& projections, const Pick& pick) {
  std::vector<double> values;
  for (const auto& p : projections) values.push_back(pick(p));
  return values;
}

std::string curve(const Json& projections, const std::string& title, const std::string& label,
                  const std::vector<double>& values, const std::string& caption) {
  const auto theta = each(projections, [](const Json& p) { return p.at("euler_deg").at(1).get<double>(); });
  return figure(title,
                stem_plot({.label = "tilt angle θ (degrees)"}, {.label = label}, theta, values, {}, title),
                caption);
}

std::string step_words(const Json& steps) {
  std::string words;
  for (const auto& [step, how] : steps.items())
    if (how.is_string() && how != "none" && how != "error")
      words += (words.empty() ? "" : ", ") + step + ": " + how.get<std::string>();
  return words.empty() ? "no steps" : words;
}

}  // namespace

std::string preprocessing_section(const Run& run) {
  if (!run.has(files::preprocessing)) return {};
  const auto done = Json::parse(io::read_text_file((run.folder / files::preprocessing).string()));
  const auto& projections = done.at("projections");
  const auto& stage = run.stage("preprocess");
  const std::string words = format(static_cast<double>(projections.size())) + " projections; " +
                            step_words(done.at("steps")) + ". " + format(number(stage, "replaced_pixels")) +
                            " bad pixels replaced; shifts of " + format(number(stage, "shift_rms_px"), 2) +
                            " pixels rms. Everything that was done stands in preprocessing.json.";
  std::vector<std::string> plots;
  const auto x = each(projections, [](const Json& p) { return p.at("shift_px").at("x").get<double>(); });
  const auto y = each(projections, [](const Json& p) { return p.at("shift_px").at("y").get<double>(); });
  const auto factor = each(projections, [](const Json& p) { return p.at("factor").get<double>(); });
  const auto differ = [](const std::vector<double>& v, double from) {
    for (double value : v)
      if (value != from) return true;
    return false;
  };
  if (differ(x, 0)) plots.push_back(curve(projections, "Shift along x", "pixels", x, "Data: shifts.csv"));
  if (differ(y, 0)) plots.push_back(curve(projections, "Shift along y", "pixels", y, "Data: shifts.csv"));
  if (differ(factor, 1))
    plots.push_back(
        curve(projections, "Normalisation", "factor", factor, "What each projection was multiplied by."));
  return section("preprocessing", "Preprocessing",
                 paragraph(escape(words)) + calibration_part(run) + (plots.empty() ? "" : row(plots, 2)));
}

}  // namespace aetos::pipeline::report
