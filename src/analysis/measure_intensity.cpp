// Intensity of the reconstruction at atoms, oxygen sites, vacancies and the voids between.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/analysis/oxidation.hpp"
#include "aetos/analysis/polyhedra.hpp"
#include "aetos/analysis/vacancies.hpp"
#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "measured_model.hpp"
#include "sphere_mean.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

constexpr double kVoidFromAtom_A = 2.1, kVoidFromSite_A = 1.8, kVoidsApart_A = 0.5;
constexpr double kTraceable = 3;  ///< contrast over the spread from which one site can be told

using Levels = std::map<std::pair<std::string, Phase>, std::vector<double>>;

struct Place {
  std::string kind;  ///< atom, oxygen, empty, void, vacancy, missed atom
  Phase phase;
  Vec3 r;
};

/// Places in the framework that hold neither an atom nor an oxygen site: across each site from each of its
/// corners (in fluorite the middle of the empty cube).
std::vector<Place> voids_between(const MeasuredModel& m, const std::vector<OxygenSite>& sites) {
  std::vector<Vec3> site_places;
  for (const auto& s : sites) site_places.push_back(s.place);
  const atoms::NeighbourSearch atom_search(m.framework.position), site_search(site_places);
  std::vector<Place> found;
  std::vector<Vec3> candidates;
  std::vector<Phase> phases;
  for (const auto& s : sites)
    for (const std::size_t corner : s.atoms) {
      const Vec3 r = 2 * s.place - m.framework.position[corner];
      if (atom_search.nearest(r)->distance_A < kVoidFromAtom_A ||
          site_search.nearest(r)->distance_A < kVoidFromSite_A)
        continue;
      candidates.push_back(r);
      phases.push_back(phase_of_most(s.atoms, m.phases));
    }
  const atoms::NeighbourSearch search(candidates);
  std::vector<bool> taken(candidates.size());
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (taken[c]) continue;
    for (const auto& n : search.within(candidates[c], kVoidsApart_A)) taken[n.index] = true;
    found.push_back({"void", phases[c], candidates[c]});
  }
  return found;
}

std::vector<Place> places_of(const MeasuredModel& m) {
  const auto& points = m.framework.position;
  std::vector<Place> places;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (!m.surface[i]) places.push_back({"atom", m.phases[i], points[i]});
  const auto regular = near_regular_tetrahedra(points, m.alpha, m.neighbours.cutoff_A);
  const auto sites = sites_by_oxygen(points, m.triangulation, regular, m.phases, m.oxygen);
  for (const auto& s : sites) {
    const char* kind = m.oxygen.empty() ? "site" : s.value > 0.5 ? "oxygen" : "empty";
    places.push_back({kind, phase_of_most(s.atoms, m.phases), s.place});
  }
  const auto voids = voids_between(m, sites);
  places.insert(places.end(), voids.begin(), voids.end());
  for (const auto& v : vacancies(points, m.triangulation, m.phases))
    places.push_back({"vacancy", v.phase, v.place});
  return places;
}

/// How far one mean stands above another, over the spread of both.
std::optional<double> contrast_to_noise(const std::vector<double>& on, const std::vector<double>& off) {
  if (on.size() < 2 || off.size() < 2) return std::nullopt;
  return (*mean_of(on) - *mean_of(off)) /
         (std::hypot(*deviation_of(on), *deviation_of(off)) / std::sqrt(2.0));
}

/// Oxygen sites over the voids, against the atoms over the voids and against the spread; filled sites against
/// empty ones where the model tells them apart.
json against(const std::vector<double>& sites, const std::vector<double>& empty,
             const std::vector<double>& atoms, const std::vector<double>& voids) {
  const auto over_voids = contrast_to_noise(sites, voids), over_empty = contrast_to_noise(sites, empty);
  json result{{"ratio_to_atoms", nullptr},
              {"contrast_to_noise", number_or_null(over_voids)},
              {"contrast_to_empty_sites", number_or_null(over_empty)},
              {"traceable", nullptr}};
  if (!over_voids || atoms.empty()) return result;
  const double background = *mean_of(voids);
  result["ratio_to_atoms"] = number_or_null((*mean_of(sites) - background) / (*mean_of(atoms) - background));
  result["traceable"] = std::min(*over_voids, over_empty.value_or(*over_voids)) >= kTraceable;
  return result;
}

json by_phase(Levels& levels, bool with_oxygen) {
  json phases = json::object();
  for (const Phase p : kPhases) {
    json one = json::object();
    for (const char* kind : {"atom", "site", "oxygen", "empty", "void", "vacancy", "missed atom"})
      if (const auto& values = levels[{kind, p}]; !values.empty()) one[kind] = level_of(values, "places");
    const char* sites = with_oxygen ? "oxygen" : "site";
    one["oxygen_sites"] =
        against(levels[{sites, p}], levels[{"empty", p}], levels[{"atom", p}], levels[{"void", p}]);
    phases[phase_name(p)] = one;
  }
  return phases;
}

}  // namespace

json measure_intensity(const MeasuredModel& m, MeasureOutput& output) {
  if (m.inputs.volume.empty())
    throw InputError("analyze.volume", "no volume",
                     "a volume, or the reconstruct stage before, for 'intensity'");
  const SphereMean mean(m.inputs.volume, m.inputs.radius_A);
  const double of_atoms = mean.mean_at(m.framework.position).value_or(0);
  Levels levels;
  std::string csv = "kind,phase,x_A,y_A,z_A,intensity\n";
  for (auto& p : places_of(m)) {
    const auto value = mean.at(p.r);
    if (!value) continue;
    if (p.kind == "vacancy" && *value >= kMissedAtom * of_atoms) p.kind = "missed atom";
    levels[{p.kind, p.phase}].push_back(*value);
    csv += fmt::format("{},{},{:.4f},{:.4f},{:.4f},{:.6g}\n", p.kind, phase_name(p.phase), p.r.x(), p.r.y(),
                       p.r.z(), *value);
  }
  output.files["intensity.csv"] = csv;
  return {{"radius_A", m.inputs.radius_A}, {"by_phase", by_phase(levels, !m.oxygen.empty())}};
}

}  // namespace aetos::analysis
