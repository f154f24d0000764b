// Widths of the traced peaks, and layers coloured by oxidation.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/analysis/oxidation.hpp"
#include "aetos/analysis/polyhedra.hpp"
#include "aetos/core/error.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

constexpr double kSigmaBin_A = 0.01;

}  // namespace

json measure_sigma(const MeasuredModel& m, MeasureOutput& output) {
  const auto column = m.whole->columns.find("sigma_a");
  const auto* widths =
      column == m.whole->columns.end() ? nullptr : std::get_if<std::vector<double>>(&column->second.values);
  if (!widths)
    throw InputError("analyze.input", "atoms without a column sigma_A, which 'sigma' needs",
                     "atoms that the trace stage found");
  std::vector<double> all;
  std::map<Phase, std::vector<double>> by_phase;
  std::map<long, std::size_t> histogram;
  for (std::size_t i = 0; i < m.row.size(); ++i) {
    const double w = (*widths)[m.row[i]];
    if (!(w > 0) || !std::isfinite(w)) continue;
    all.push_back(w);
    by_phase[m.phases[i]].push_back(w);
    ++histogram[std::lround(std::floor(w / kSigmaBin_A))];
  }
  std::string csv = "sigma_A,atoms\n";
  for (const auto& [bin, atoms] : histogram)
    csv += fmt::format("{:.3f},{}\n", (static_cast<double>(bin) + 0.5) * kSigmaBin_A, atoms);
  output.files["sigma.csv"] = csv;
  json phases = json::object();
  for (const Phase p : kPhases) phases[phase_name(p)] = level_of(by_phase[p], "atoms", "_A");
  return {{"all", level_of(all, "atoms", "_A")}, {"by_phase", phases}};
}

json measure_slices(const MeasuredModel& m, MeasureOutput& output) {
  const auto& points = m.framework.position;
  const auto regular = near_regular_tetrahedra(points, m.alpha, m.neighbours.cutoff_A);
  const auto degree = mean_over_sites(points.size(), sites_by_volume(points, regular));
  struct Layer {
    std::vector<double> degrees;
    std::size_t atoms = 0;
  };
  std::map<long, Layer> layers;
  std::string csv = "atom,layer,x_A,y_A,oxidation,phase\n";
  std::vector<std::int64_t> of;
  for (std::size_t i = 0; i < points.size(); ++i) {
    // Layer 0 is centred on the rotation centre.
    const long layer = std::lround(std::floor(points[i].z() / m.layer_A + 0.5));
    auto& l = layers[layer];
    ++l.atoms;
    if (degree[i]) l.degrees.push_back(*degree[i]);
    of.push_back(layer);
    csv += fmt::format("{},{},{:.4f},{:.4f},{},{}\n", m.row[i], layer, points[i].x(), points[i].y(),
                       cell(degree[i]), phase_name(m.phases[i]));
  }
  output.files["slices.csv"] = csv;
  output.columns["layer"] = {of, 1};
  json list = json::array();
  for (const auto& [layer, l] : layers)
    list.push_back({{"layer", layer},
                    {"z_A", static_cast<double>(layer) * m.layer_A},
                    {"atoms", l.atoms},
                    {"mean_oxidation", number_or_null(mean_of(l.degrees))}});
  return {{"layer_A", m.layer_A}, {"layers", list}};
}

}  // namespace aetos::analysis
