// Where phases and grains meet: interface atoms, grains with their misorientations, {111} facets.
#include <fmt/format.h>

#include <algorithm>

#include "grain_boundaries.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

constexpr double kLeastShare = 0.2;  ///< of an atom and its neighbours that each of two phases has
constexpr double kReach = 1.25;      ///< of the cutoff: how far apart facing atoms of two grains may be

/// Has at least two phases among itself and its neighbours, `other` not counted; no surface atom.
bool is_interface(const MeasuredModel& m, std::size_t i) {
  if (m.surface[i]) return false;
  std::array<double, 4> count{};
  count[static_cast<std::size_t>(m.phases[i])] += 1;
  for (const auto& n : m.neighbours.of[i]) count[static_cast<std::size_t>(m.phases[n.index])] += 1;
  const double least = kLeastShare * static_cast<double>(m.neighbours.coordination(i) + 1);
  count[static_cast<std::size_t>(Phase::other)] = 0;
  return std::count_if(count.begin(), count.end(), [&](double c) { return c > 0 && c >= least; }) >= 2;
}

/// Coordination and bond length of the atoms of a phase at or off interfaces, without the surface.
json means_of(const MeasuredModel& m, const std::vector<bool>& interface, Phase phase, bool at) {
  std::vector<double> coordination, lengths;
  for (std::size_t i = 0; i < m.phases.size(); ++i) {
    if (m.phases[i] != phase || m.surface[i] || interface[i] != at) continue;
    coordination.push_back(static_cast<double>(m.neighbours.coordination(i)));
    for (const auto& n : m.neighbours.of[i]) lengths.push_back(n.distance_A);
  }
  return {{"atoms", coordination.size()},
          {"mean_coordination", number_or_null(mean_of(coordination))},
          {"mean_bond_length_A", number_or_null(mean_of(lengths))}};
}

json vector_json(const Vec3& v) {
  return {v.x(), v.y(), v.z()};
}

std::vector<std::int64_t> grain_of_atoms(const std::vector<Grain>& grains, std::size_t atoms) {
  std::vector<std::int64_t> of(atoms, -1);
  for (std::size_t g = 0; g < grains.size(); ++g)
    for (const std::size_t i : grains[g].atoms) of[i] = static_cast<std::int64_t>(g);
  return of;
}

}  // namespace

json measure_interfaces(const MeasuredModel& m, MeasureOutput& output) {
  const auto& points = m.framework.position;
  std::vector<bool> interface(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) interface[i] = is_interface(m, i);
  const auto grains = find_grains(points, m.neighbours, m.phases);
  const auto of = grain_of_atoms(grains, points.size());
  std::string csv = "atom,phase,interface,grain,coordination,mean_bond_length_A\n";
  for (std::size_t i = 0; i < points.size(); ++i)
    csv += fmt::format("{},{},{},{},{},{}\n", m.row[i], phase_name(m.phases[i]), interface[i] ? 1 : 0,
                       of[i] < 0 ? std::string() : std::to_string(of[i]), m.neighbours.coordination(i),
                       cell(m.neighbours.mean_bond_length(i)));
  output.files["interfaces.csv"] = csv;
  output.columns["interface"] = {std::vector<std::uint8_t>(interface.begin(), interface.end()), 1};
  output.columns["grain"] = {of, 1};

  json phases = json::object();
  for (const Phase p : {Phase::metal, Phase::crystalline_oxide, Phase::amorphous_oxide})
    phases[phase_name(p)] = {{"at_interface", means_of(m, interface, p, true)},
                             {"off_interface", means_of(m, interface, p, false)}};
  json grain_list = json::array();
  for (const auto& g : grains)
    grain_list.push_back({{"phase", phase_name(g.phase)}, {"atoms", g.atoms.size()}, {"bond_A", g.bond_A}});
  json boundaries = json::array();
  for (const auto& b : grain_boundaries(points, grains, kReach * m.neighbours.cutoff_A))
    boundaries.push_back({{"grains", {b.first, b.second}},
                          {"atoms", b.contact.size()},
                          {"normal", vector_json(b.normal)},
                          {"flatness_A", b.flatness_A},
                          {"misorientation_deg", b.misorientation_deg},
                          {"bend_deg", b.bend_deg},
                          {"twist_deg", b.twist_deg},
                          {"coherency", b.sites ? json(b.coherency()) : json(nullptr)}});
  return {{"interface_atoms", std::count(interface.begin(), interface.end(), true)},
          {"by_phase", phases},
          {"grains", grain_list},
          {"boundaries", boundaries}};
}

json measure_facets(const MeasuredModel& m, MeasureOutput& output) {
  const auto& points = m.framework.position;
  const auto grains = find_grains(points, m.neighbours, m.phases);
  std::vector<std::uint8_t> on_facet(points.size(), 0);
  json list = json::array();
  for (const auto& grain : grains) {
    const auto facets = facets_111(points, m.neighbours, grain);
    for (const std::size_t i : facets.atoms) on_facet[i] = 1;
    const double share = static_cast<double>(facets.atoms.size()) /
                         static_cast<double>(std::max<std::size_t>(1, facets.boundary_atoms));
    list.push_back({{"phase", phase_name(grain.phase)},
                    {"boundary_atoms", facets.boundary_atoms},
                    {"facet_111_atoms", facets.atoms.size()},
                    {"share", facets.boundary_atoms ? json(share) : json(nullptr)}});
  }
  std::string csv = "atom,facet_111\n";
  for (std::size_t i = 0; i < points.size(); ++i) csv += fmt::format("{},{}\n", m.row[i], on_facet[i]);
  output.files["facets.csv"] = csv;
  output.columns["facet_111"] = {on_facet, 1};
  return {{"grains", list}};
}

}  // namespace aetos::analysis
