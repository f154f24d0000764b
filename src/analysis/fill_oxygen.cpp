#include "aetos/analysis/fill_oxygen.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "aetos/analysis/oxidation.hpp"
#include "aetos/analysis/polyhedra.hpp"
#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {
namespace {

constexpr std::uint8_t kOxygen = 8;
constexpr double kFromAtom_A = 1.6, kFromOxygen_A = 1.9;

double share_of(Phase phase, const atoms::OxygenShares& shares) {
  switch (phase) {
    case Phase::metal:
      return shares.metal;
    case Phase::crystalline_oxide:
      return shares.crystalline_oxide;
    case Phase::amorphous_oxide:
      return shares.amorphous_oxide;
    case Phase::other:
      break;
  }
  return shares.other;
}

/// The model's own column `phase`; empty without one.
std::vector<Phase> given_phases(const Structure& model, const std::string& place) {
  const auto column = model.columns.find("phase");
  const auto* names =
      column == model.columns.end() ? nullptr : std::get_if<std::vector<std::string>>(&column->second.values);
  if (!names) return {};
  std::vector<Phase> result;
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto found = std::find_if(std::begin(kPhases), std::end(kPhases),
                                    [&](Phase p) { return phase_name(p) == (*names)[i]; });
    if (found == std::end(kPhases))
      throw InputError(place, fmt::format("atom {} has the phase '{}'", i + 1, (*names)[i]),
                       "metal, c-ZrO2, a-ZrO2 or other");
    result.push_back(*found);
  }
  return result;
}

struct Filling {
  std::vector<Vec3> place;
  std::vector<Phase> phase;
};

Filling draw_oxygen(const MeasuredModel& m, const std::vector<Phase>& phases,
                    const atoms::OxygenShares& shares, std::uint64_t seed) {
  const auto& points = m.framework.position;
  const auto regular = near_regular_tetrahedra(points, m.alpha, m.neighbours.cutoff_A);
  const auto sites = sites_by_oxygen(points, m.triangulation, regular, phases, {});
  const atoms::NeighbourSearch atom_search(points);
  std::vector<Vec3> places;
  for (const auto& s : sites) places.push_back(s.place);
  const atoms::NeighbourSearch site_search(places);
  std::vector<bool> crowded(sites.size());
  Filling filling;
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const Phase phase = phase_of_most(sites[s].atoms, phases);
    const bool drawn =
        random::uniform4(seed, random::Domain::builder, {0, 4, s})[0] < share_of(phase, shares);
    if (!drawn || crowded[s] || atom_search.nearest(sites[s].place)->distance_A < kFromAtom_A) continue;
    for (const auto& n : site_search.within(sites[s].place, kFromOxygen_A)) crowded[n.index] = true;
    filling.place.push_back(sites[s].place);
    filling.phase.push_back(phase);
  }
  return filling;
}

}  // namespace

Structure fill_oxygen(const Structure& model, const atoms::OxygenShares& shares, std::uint64_t seed,
                      const std::string& place) {
  const auto oxygen = std::find(model.atomic_number.begin(), model.atomic_number.end(), kOxygen);
  if (oxygen != model.atomic_number.end())
    throw InputError(place, fmt::format("atom {} is oxygen", oxygen - model.atomic_number.begin() + 1),
                     "a model without oxygen, which fill-oxygen adds");
  if (model.size() == 0) throw InputError(place, "no atoms", "at least one");
  const MeasuredModel m = measure_model({.atoms = model, .measures = {}, .cutoff_A = {}});
  const auto given = given_phases(model, place);
  const auto& phases = given.empty() ? m.phases : given;
  const Filling filling = draw_oxygen(m, phases, shares, seed);

  Structure out;
  out.cell = model.cell;
  out.position = model.position;
  out.atomic_number = model.atomic_number;
  std::vector<std::string> names;
  for (const Phase p : phases) names.push_back(phase_name(p));
  for (std::size_t i = 0; i < filling.place.size(); ++i) {
    out.position.push_back(filling.place[i]);
    out.atomic_number.push_back(kOxygen);
    names.push_back(phase_name(filling.phase[i]));
  }
  out.columns["phase"] = {names, 1};
  return out;
}

}  // namespace aetos::analysis
