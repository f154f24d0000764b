// The report's figures of the measures beyond bonds and phases: interfaces, layers, intensities, columns.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLayersShown = 6, kProfilesShown = 6;

/// Rows of a CSV of the run; none if there is no such file.
std::vector<std::vector<std::string>> rows_of(const Run& run, const char* file) {
  return run.has(file) ? csv_rows(io::read_text_file((run.folder / file).string()))
                       : std::vector<std::vector<std::string>>{};
}

std::string boundaries_table(const Json& interfaces) {
  const auto& grains = list_at(interfaces, "grains");
  const auto& boundaries = list_at(interfaces, "boundaries");
  if (boundaries.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const auto& b : boundaries) {
    std::string pair;
    for (const auto& g : list_at(b, "grains"))
      if (const auto index = g.get<std::size_t>(); index < grains.size())
        pair += fmt::format("{}{} {}", pair.empty() ? "" : " – ", index, text(grains[index], "phase"));
    rows.push_back({pair, format(number(b, "atoms")), format(number(b, "bend_deg"), 1),
                    format(number(b, "twist_deg"), 1), format(number(b, "misorientation_deg"), 1),
                    format_percent(number(b, "coherency")), format(number(b, "flatness_A"), 1)});
  }
  return table({"Boundary of grains", "Atoms", "Bend (°)", "Twist (°)", "Misorientation (°)", "Coherent",
                "Out of plane (Å, rms)"},
               rows) +
         paragraph("The study finds misorientations of 11, 8 and 4 degrees between metal and oxide.");
}

std::string interfaces_part(const Json& interfaces) {
  if (interfaces.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, phase] : at(interfaces, "by_phase").items()) {
    const auto &here = at(phase, "at_interface"), &away = at(phase, "off_interface");
    rows.push_back({name, format(number(here, "atoms")), format(number(here, "mean_coordination"), 2),
                    format(number(away, "mean_coordination"), 2),
                    format(number(here, "mean_bond_length_A"), 3),
                    format(number(away, "mean_bond_length_A"), 3)});
  }
  return table({"Phase", "Interface atoms", "Coordination there", "elsewhere inside", "Bond there (Å)",
                "elsewhere inside"},
               rows) +
         paragraph("The study finds fewer neighbours and longer bonds at interfaces. Data: interfaces.csv") +
         boundaries_table(interfaces);
}

std::string facets_part(const Json& facets) {
  const auto& grains = list_at(facets, "grains");
  if (grains.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (std::size_t g = 0; g < grains.size(); ++g)
    rows.push_back({fmt::format("{} {}", g, text(grains[g], "phase")),
                    format(number(grains[g], "boundary_atoms")), format(number(grains[g], "facet_111_atoms")),
                    format_percent(number(grains[g], "share"))});
  return table({"Grain", "Atoms at its border", "On {111} facets", "Share"}, rows) +
         paragraph("Data: facets.csv");
}

/// One layer of slices.csv: its atoms as dots, the fuller the more oxidised.
std::string layer_picture(const std::vector<std::array<double, 3>>& atoms, double half_A) {
  std::string svg = fmt::format("<svg viewBox=\"{:.1f} {:.1f} {:.1f} {:.1f}\" role=\"img\">", -half_A,
                                -half_A, 2 * half_A, 2 * half_A);
  for (const auto& [x, y, degree] : atoms)
    svg += degree >= 0 ? fmt::format(
                             "<circle class=\"bar-data\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1.3\" "
                             "fill-opacity=\"{:.2f}\"/>",
                             x, y, 0.15 + 0.85 * degree)
                       : fmt::format("<circle class=\"axis\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"0.4\"/>", x, y);
  return svg + "</svg>";
}

std::string layers_part(const Run& run, const Json& slices) {
  std::map<long, std::vector<std::array<double, 3>>> layers;
  double half = 1;
  for (const auto& cells : rows_of(run, "slices.csv")) {
    if (cells.size() < 5) continue;
    const double x = std::stod(cells[2]), y = std::stod(cells[3]);
    layers[std::stol(cells[1])].push_back({x, y, cells[4].empty() ? -1 : std::stod(cells[4])});
    half = std::max({half, std::abs(x) + 2, std::abs(y) + 2});
  }
  if (layers.empty()) return {};
  const double thickness = number(slices, "layer_A").value_or(0);
  const std::size_t step = (layers.size() + kLayersShown - 1) / kLayersShown;
  std::vector<std::string> pictures;
  std::size_t k = 0;
  for (const auto& [layer, atoms] : layers)
    if (k++ % step == step / 2)
      pictures.push_back(figure(fmt::format("z = {:.1f} Å", static_cast<double>(layer) * thickness),
                                layer_picture(atoms, half), fmt::format("{} atoms", atoms.size())));
  std::vector<double> z, degree;
  for (const auto& layer : list_at(slices, "layers"))
    if (const auto mean = number(layer, "mean_oxidation")) {
      z.push_back(number(layer, "z_A").value_or(0));
      degree.push_back(*mean);
    }
  std::string plot;
  if (!z.empty())
    plot =
        row({figure("Oxidation along z",
                    line_plot({.label = "z (Å)"}, {.label = "degree of oxidation", .low = 0.0, .high = 1.0},
                              z, degree, "Mean degree of oxidation of each layer"),
                    "Mean over the atoms of each layer. Data: slices.csv")},
            2);
  return paragraph(
             fmt::format("Layers of {:.1f} Å along z: the fuller an atom's colour, the more oxidised it "
                         "is, by the volume of its sites.",
                         thickness)) +
         row(pictures, 3) + plot;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

/// The atoms' intensities, in their mean, with the means of oxygen sites and vacancies marked.
std::string intensity_figure(const Run& run) {
  std::map<std::string, std::vector<double>> values;
  for (const auto& cells : rows_of(run, "intensity.csv"))
    if (cells.size() > 5) values[cells[0]].push_back(std::stod(cells[5]));
  auto& atoms = values["atom"];
  if (atoms.empty() || !(mean_of(atoms) > 0)) return {};
  const double unit = mean_of(atoms);
  for (double& v : atoms) v /= unit;
  auto bars = histogram(atoms, 40);
  if (bars.edges.size() < 2) return {};
  std::vector<Mark> marks;
  for (const auto& [kind, label] : {std::pair("oxygen", "O"), {"site", "O"}, {"vacancy", "V"}})
    if (const auto& v = values[kind]; !v.empty()) marks.push_back({mean_of(v) / unit, label});
  // The axis reaches down to what is far weaker than atoms.
  for (const auto& mark : marks)
    while (mark.at < bars.edges.front() && bars.edges.size() < 200) {
      bars.edges.insert(bars.edges.begin(), 2 * bars.edges[0] - bars.edges[1]);
      bars.counts.insert(bars.counts.begin(), 0);
    }
  return figure(
      "Intensity of atoms",
      histogram_plot({.label = "intensity over the mean of the atoms"}, {.label = "atoms"}, bars.edges,
                     bars.counts, marks, "Histogram of the volume's intensity at atoms"),
      "Means at oxygen sites (O) and vacancies (V). Data: intensity.csv");
}

std::string intensity_part(const Run& run, const Json& intensity) {
  const auto& phases = at(intensity, "by_phase");
  if (phases.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, phase] : phases.items()) {
    const auto mean = [&](const char* kind) -> std::string {
      const auto value = number(at(phase, kind), "mean");
      return value ? format_short(*value) : "–";
    };
    const auto& oxygen = at(phase, "oxygen_sites");
    const auto traceable = oxygen.find("traceable");
    const bool known = traceable != oxygen.end() && traceable->is_boolean();
    rows.push_back({name, mean("atom"), at(phase, "oxygen").empty() ? mean("site") : mean("oxygen"),
                    mean("empty"), mean("void"), mean("vacancy"), format(number(oxygen, "ratio_to_atoms"), 3),
                    format(number(oxygen, "contrast_to_noise"), 1),
                    format(number(oxygen, "contrast_to_empty_sites"), 1),
                    !known                   ? "–"
                    : traceable->get<bool>() ? "yes"
                                             : "no"});
  }
  return table({"Phase", "Atoms", "Oxygen sites", "Empty sites", "Voids", "Vacancies", "Oxygen : atoms",
                "Over voids' spread", "Over empty sites'", "Traceable"},
               rows) +
         row({intensity_figure(run)}, 2);
}

std::string columns_part(const Run& run, const Json& columns) {
  const auto& images = at(columns, "images");
  if (images.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> profiles;
  const char* file = "column-profiles.csv";
  const std::string csv = run.has(file) ? io::read_text_file((run.folder / file).string()) : "";
  for (const auto& [name, image] : images.items()) {
    std::optional<double> ratio, peak, noise;
    for (const auto& [key, value] : image.items()) {
      if (key.starts_with("ratio_")) ratio = number(image, key);
      if (key.starts_with("peak_ratio_")) peak = number(image, key);
      if (key.starts_with("contrast_to_noise_")) noise = number(image, key);
    }
    rows.push_back({name, format(ratio, 3), format(peak, 3), format(noise, 1)});
    const auto x = csv_column(csv, "x_A"), y = csv_column(csv, name);
    if (!y.empty() && x.size() == y.size() && profiles.size() < kProfilesShown)
      profiles.push_back(figure(name, line_plot({.label = "x (Å)"}, {.label = "intensity"}, x, y, name),
                                std::string("Through the lightest columns. Data: ") + file));
  }
  return table({"Image", "Lightest : heaviest column, discs", "at their centres",
                "Lightest: contrast to noise"},
               rows) +
         paragraph("The study finds oxygen columns typically a tenth of zirconium's. Data: columns.csv") +
         row(profiles, 3);
}

}  // namespace

std::string measures_part(const Run& run, const Json& analysis) {
  return interfaces_part(at(analysis, "interfaces")) + facets_part(at(analysis, "facets")) +
         layers_part(run, at(analysis, "slices")) + intensity_part(run, at(analysis, "intensity")) +
         slabs_part(run, at(analysis, "sections")) + columns_part(run, at(analysis, "columns")) +
         profiles_part(run, at(analysis, "profiles"));
}

}  // namespace aetos::pipeline::report
