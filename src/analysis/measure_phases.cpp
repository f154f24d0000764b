// The measures that need phases: phases with their bond lengths, degree of oxidation, vacancies.
#include <fmt/format.h>

#include <algorithm>

#include "aetos/analysis/oxidation.hpp"
#include "aetos/analysis/polyhedra.hpp"
#include "aetos/analysis/vacancies.hpp"
#include "measured_model.hpp"
#include "sphere_mean.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

/// Lengths of the bonds, each once, whose two atoms are of one phase.
std::vector<double> bonds_within(const MeasuredModel& m, Phase phase) {
  std::vector<double> lengths;
  for (std::size_t i = 0; i < m.phases.size(); ++i)
    for (const auto& n : m.neighbours.of[i])
      if (n.index > i && m.phases[i] == phase && m.phases[n.index] == phase) lengths.push_back(n.distance_A);
  return lengths;
}

/// A phase's degree of oxidation, and the number of sites it is of.
using DegreeOfSites = std::pair<std::optional<double>, std::size_t>;

/// Mean over the sites with most corners in a phase.
DegreeOfSites mean_degree(const MeasuredModel& m, const std::vector<OxygenSite>& sites, Phase phase) {
  std::vector<double> values;
  for (const auto& s : sites)
    if (phase_of_most(s.atoms, m.phases) == phase) values.push_back(s.value);
  return {mean_of(values), values.size()};
}

/// Occupied sites over the sites that the atoms offer by themselves, of those with all four corners in a
/// phase. Where sites overlap, empty ones found between the oxygens pack closer than sites do, and there
/// would seem to be too many of them.
DegreeOfSites occupancy(const MeasuredModel& m, const std::vector<OxygenSite>& sites,
                        const std::vector<OxygenSite>& offered, Phase phase) {
  const auto within = [&](const OxygenSite& s) {
    return std::all_of(s.atoms.begin(), s.atoms.end(), [&](std::size_t a) { return m.phases[a] == phase; });
  };
  const auto occupied = std::count_if(sites.begin(), sites.end(),
                                      [&](const OxygenSite& s) { return s.value == 1 && within(s); });
  const auto all = std::count_if(offered.begin(), offered.end(), within);
  if (all == 0) return {std::nullopt, 0};
  return {std::min(1.0, static_cast<double>(occupied) / static_cast<double>(all)), all};
}

/// One route: the degree of each phase and the number of sites it is of, beside the mean over its atoms.
template <class DegreeAndSites>
json degrees_by_phase(const MeasuredModel& m, const std::vector<std::optional<double>>& of_atoms,
                      DegreeAndSites degree_and_sites) {
  json result = json::object();
  for (const Phase p : kPhases) {
    std::vector<double> atoms;
    for (std::size_t i = 0; i < of_atoms.size(); ++i)
      if (m.phases[i] == p && of_atoms[i]) atoms.push_back(*of_atoms[i]);
    const auto [degree, sites] = degree_and_sites(p);
    result[phase_name(p)] = {{"mean", number_or_null(degree)},
                             {"mean_of_atoms", number_or_null(mean_of(atoms))},
                             {"sites", sites},
                             {"atoms", atoms.size()}};
  }
  return result;
}

/// A column of numbers holds -1 where there is none: extended XYZ has no empty cells.
Column column_of(const std::vector<std::optional<double>>& values) {
  std::vector<double> column;
  for (const auto& v : values) column.push_back(v.value_or(-1));
  return {column, 1};
}

/// The volume's mean at each place over that at the atoms; none where the volume ends.
std::vector<std::optional<double>> shares_of_an_atom(const MeasuredModel& m,
                                                     const std::vector<Vacancy>& places) {
  const SphereMean mean(m.inputs.volume, m.inputs.radius_A);
  const auto atoms = mean.mean_at(m.framework.position);
  std::vector<std::optional<double>> shares(places.size());
  for (std::size_t i = 0; atoms && i < places.size(); ++i)
    if (const auto value = mean.at(places[i].place)) shares[i] = *value / *atoms;
  return shares;
}

}  // namespace

json measure_phases(const MeasuredModel& m, MeasureOutput& output) {
  std::string csv = "atom,phase\n";
  std::vector<std::string> names;
  for (std::size_t i = 0; i < m.phases.size(); ++i) {
    names.push_back(phase_name(m.phases[i]));
    csv += fmt::format("{},{}\n", m.row[i], names.back());
  }
  json result = json::object();
  for (const Phase p : kPhases) {
    const auto bonds = bonds_within(m, p);
    result[phase_name(p)] = {{"atoms", std::count(m.phases.begin(), m.phases.end(), p)},
                             {"bonds", bonds.size()},
                             {"mean_bond_length_A", number_or_null(mean_of(bonds))}};
  }
  output.files["phases.csv"] = csv;
  output.columns["phase"] = {names, 1};
  return result;
}

json measure_oxidation(const MeasuredModel& m, MeasureOutput& output) {
  const auto& points = m.framework.position;
  const auto regular = near_regular_tetrahedra(points, m.alpha, m.neighbours.cutoff_A);
  const auto volume_sites = sites_by_volume(points, regular);
  const auto by_volume = mean_over_sites(points.size(), volume_sites);
  const auto by_volume_of = [&](Phase p) { return mean_degree(m, volume_sites, p); };
  json result{{"by_volume", degrees_by_phase(m, by_volume, by_volume_of)}, {"by_oxygen", nullptr}};
  output.columns["oxidation"] = column_of(by_volume);
  std::vector<std::optional<double>> by_oxygen(points.size());
  if (!m.oxygen.empty()) {
    const auto sites = sites_by_oxygen(points, m.triangulation, regular, m.phases, m.oxygen);
    by_oxygen = mean_over_sites(points.size(), sites);
    const auto offered = sites_by_oxygen(points, m.triangulation, regular, m.phases, {});
    result["by_oxygen"] =
        degrees_by_phase(m, by_oxygen, [&](Phase p) { return occupancy(m, sites, offered, p); });
    output.columns["oxidation_by_oxygen"] = column_of(by_oxygen);
  }
  std::string csv = "atom,oxidation_by_volume,oxidation_by_oxygen\n";
  for (std::size_t i = 0; i < points.size(); ++i)
    csv += fmt::format("{},{},{}\n", m.row[i], cell(by_volume[i]), cell(by_oxygen[i]));
  output.files["oxidation.csv"] = csv;
  return result;
}

json measure_vacancies(const MeasuredModel& m, MeasureOutput& output) {
  const auto all = vacancies(m.framework.position, m.triangulation, m.phases);
  const auto shares =
      m.inputs.volume.empty() ? std::vector<std::optional<double>>(all.size()) : shares_of_an_atom(m, all);
  std::string csv = "x_A,y_A,z_A,phase,neighbours,facing_pairs,intensity_over_atoms,missed_atom\n";
  json by_phase{{phase_name(Phase::metal), 0}, {phase_name(Phase::crystalline_oxide), 0}};
  std::size_t missed = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& v = all[i];
    const bool is_atom = shares[i] && *shares[i] >= kMissedAtom;
    missed += is_atom;
    if (!is_atom) by_phase[phase_name(v.phase)] = by_phase[phase_name(v.phase)].get<std::size_t>() + 1;
    csv += fmt::format("{:.4f},{:.4f},{:.4f},{},{},{},{},{}\n", v.place.x(), v.place.y(), v.place.z(),
                       phase_name(v.phase), v.neighbours, v.pairs, cell(shares[i]), is_atom ? 1 : 0);
  }
  output.files["vacancies.csv"] = csv;
  return {{"vacancies", all.size() - missed},
          {"by_phase", by_phase},
          {"missed_atoms", m.inputs.volume.empty() ? json(nullptr) : json(missed)}};
}

}  // namespace aetos::analysis
