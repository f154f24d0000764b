#include <algorithm>
#include <array>

#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

using Json = nlohmann::json;

std::string distribution_figure(const Run& run, const Json& bonds) {
  const char* file = "radial-distribution.csv";
  if (!run.has(file)) return {};
  const auto csv = io::read_text_file((run.folder / file).string());
  auto r = csv_column(csv, "r_A"), g = csv_column(csv, "g");
  if (r.size() != g.size()) return {};
  // Beyond a few neighbour distances the curve only approaches one.
  const auto end = static_cast<std::size_t>(std::lower_bound(r.begin(), r.end(), 12.0) - r.begin());
  r.resize(end);
  g.resize(end);
  if (r.empty()) return {};
  const auto cutoff = number(bonds, "cutoff_A");
  return figure("Radial distribution",
                line_plot({.label = "distance (Å)"}, {.label = "g(r)", .low = 0.0}, r, g,
                          "Radial distribution function of the atoms"),
                "Neighbours are nearer than " + format(cutoff, 2) + " Å; mean bond " +
                    format(number(bonds, "mean_length_A"), 3) + " Å. Data: radial-distribution.csv");
}

std::string coordination_figure(const Json& coordination) {
  const auto& histogram = at(coordination, "histogram");
  int highest = -1;
  for (const auto& [count, atoms] : histogram.items()) highest = std::max(highest, std::stoi(count));
  if (highest < 0) return {};
  std::vector<double> edges, counts;
  for (int n = 0; n <= highest + 1; ++n) edges.push_back(n - 0.5);
  for (int n = 0; n <= highest; ++n) counts.push_back(number(histogram, std::to_string(n)).value_or(0));
  std::vector<Mark> marks;
  if (const auto mean = number(coordination, "mean")) marks.push_back({*mean, "mean " + format(mean, 2)});
  return figure("Coordination",
                histogram_plot({.label = "neighbours"}, {.label = "atoms"}, edges, counts, marks,
                               "Histogram of the atoms' coordination numbers"),
                "Inside " + format(number(coordination, "mean_inside"), 2) + ", at the surface " +
                    format(number(coordination, "mean_at_surface"), 2) + ". Data: coordination.csv");
}

std::string phase_table(const Json& analysis) {
  const auto& phases = at(analysis, "phases");
  if (phases.empty()) return {};
  const auto& volume = at(at(analysis, "oxidation"), "by_volume");
  const auto& oxygen = at(at(analysis, "oxidation"), "by_oxygen");
  const auto& vacancies = at(at(analysis, "vacancies"), "by_phase");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, phase] : phases.items())
    rows.push_back({name, format(number(phase, "atoms")), format(number(phase, "mean_bond_length_A"), 3),
                    format(number(at(volume, name), "mean"), 2), format(number(at(oxygen, name), "mean"), 2),
                    format(number(vacancies, name))});
  return table(
             {"Phase", "Atoms", "Mean bond (Å)", "Oxidation, by volume", "Oxidation, by oxygen", "Vacancies"},
             rows) +
         paragraph(
             "The study finds mean Zr-Zr distances of 3.6 Å in c-ZrO₂ and 3.45 Å in a-ZrO₂, and degrees of "
             "oxidation of 0.82, 0.78 and 0.29 in c-ZrO₂, a-ZrO₂ and metal. Definitions: docs/analysis.md.");
}

}  // namespace

std::string structure_section(const Run& run) {
  const auto& analysis = run.stage("analyze");
  if (analysis.empty()) return {};
  std::vector<std::string> plots;
  for (auto f :
       {distribution_figure(run, at(analysis, "bonds")), coordination_figure(at(analysis, "coordination"))})
    if (!f.empty()) plots.push_back(std::move(f));
  std::string body = (plots.empty() ? "" : row(plots, 2)) + phase_table(analysis);
  if (const auto& order = at(analysis, "order"); !order.empty())
    body += paragraph(format(number(order, "crystalline_atoms")) + " atoms (" +
                      format_percent(number(order, "crystalline_share")) +
                      ") have a normalised order of 0.5 or more.");
  body += order_part(analysis) + measures_part(run, analysis);
  return body.empty() ? "" : section("structure", "Structure", body);
}

}  // namespace aetos::pipeline::report
