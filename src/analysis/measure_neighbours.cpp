// The measures that need neighbours alone: bonds, coordination, order, short-range order.
#include <fmt/format.h>

#include <algorithm>

#include "measured_model.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

std::string species_pair(const std::pair<int, int>& z) {
  return element_symbol(static_cast<std::uint8_t>(z.first)) + "-" +
         element_symbol(static_cast<std::uint8_t>(z.second));
}

/// Lengths of the bonds, each once, between atoms of two species (or any), with or without surface atoms.
std::vector<double> bond_lengths(const MeasuredModel& m, const std::pair<int, int>* species,
                                 bool with_surface) {
  std::vector<double> lengths;
  for (std::size_t i = 0; i < m.neighbours.size(); ++i)
    for (const auto& n : m.neighbours.of[i]) {
      if (n.index < i || (!with_surface && (m.surface[i] || m.surface[n.index]))) continue;
      const std::pair<int, int> z =
          std::minmax<int>(m.framework.atomic_number[i], m.framework.atomic_number[n.index]);
      if (!species || *species == z) lengths.push_back(n.distance_A);
    }
  return lengths;
}

std::string distribution_table(const RadialDistribution& d) {
  std::string csv = "r_A,g,ordered_pairs,volume_A3";
  for (const auto& [z, counts] : d.partial) csv += ",pairs_" + species_pair(z);
  csv += '\n';
  const auto g = d.g();
  for (std::size_t k = 0; k < d.pairs.size(); ++k) {
    const auto value = g.empty() ? std::nullopt : std::optional(g[k]);
    csv += fmt::format("{:.3f},{},{},{:.5f}", d.centre_A(k), cell(value, 6), d.pairs[k], d.volume_A3[k]);
    for (const auto& [z, counts] : d.partial) csv += fmt::format(",{}", counts[k]);
    csv += '\n';
  }
  return csv;
}

}  // namespace

json measure_bonds(const MeasuredModel& m, MeasureOutput& output) {
  json s;
  s["atoms"] = m.framework.size();
  s["oxygen_left_out"] = m.oxygen.size();
  s["cutoff_A"] = m.neighbours.cutoff_A > 0 ? json(m.neighbours.cutoff_A) : json(nullptr);
  s["first_peak_A"] = m.minimum ? json(m.minimum->peak_A) : json(nullptr);
  s["first_minimum_A"] = m.minimum ? json(m.minimum->cutoff_A) : json(nullptr);
  s["first_minimum_range_A"] = m.minimum ? json{m.minimum->low_A, m.minimum->high_A} : json(nullptr);
  s["sample_volume_A3"] = m.distribution.sample_volume_A3;
  const auto all = bond_lengths(m, nullptr, true);
  s["bonds"] = all.size();
  s["mean_length_A"] = number_or_null(mean_of(all));
  s["mean_length_inside_A"] = number_or_null(mean_of(bond_lengths(m, nullptr, false)));
  json pairs = json::object();
  for (const auto& [z, counts] : m.distribution.partial) {
    const auto lengths = bond_lengths(m, &z, true);
    pairs[species_pair(z)] = {{"bonds", lengths.size()}, {"mean_length_A", number_or_null(mean_of(lengths))}};
  }
  s["pairs"] = pairs;
  output.files["radial-distribution.csv"] = distribution_table(m.distribution);
  return s;
}

json measure_coordination(const MeasuredModel& m, MeasureOutput& output) {
  std::vector<double> all, inside, at_surface;
  std::vector<std::int64_t> coordination;
  std::string csv = "atom,coordination,mean_bond_length_A,surface\n";
  std::map<std::size_t, std::size_t> histogram;
  for (std::size_t i = 0; i < m.framework.size(); ++i) {
    const std::size_t n = m.neighbours.coordination(i);
    coordination.push_back(static_cast<std::int64_t>(n));
    all.push_back(static_cast<double>(n));
    (m.surface[i] ? at_surface : inside).push_back(static_cast<double>(n));
    ++histogram[n];
    csv += fmt::format("{},{},{},{}\n", m.row[i], n, cell(m.neighbours.mean_bond_length(i)),
                       m.surface[i] ? 1 : 0);
  }
  output.files["coordination.csv"] = csv;
  output.columns["coordination"] = {coordination, 1};
  output.columns["surface"] = {std::vector<std::uint8_t>(m.surface.begin(), m.surface.end()), 1};
  json counts = json::object();
  for (const auto& [n, atoms] : histogram) counts[std::to_string(n)] = atoms;
  return {{"mean", number_or_null(mean_of(all))},
          {"mean_inside", number_or_null(mean_of(inside))},
          {"mean_at_surface", number_or_null(mean_of(at_surface))},
          {"surface_atoms", at_surface.size()},
          {"histogram", counts}};
}

json measure_order(const MeasuredModel& m, MeasureOutput& output) {
  std::string csv = "atom,q4,q6,order,crystalline\n";
  std::size_t crystals = 0;
  for (std::size_t i = 0; i < m.framework.size(); ++i) {
    csv += fmt::format("{},{:.9f},{:.9f},{:.9f},{}\n", m.row[i], m.order.q4[i], m.order.q6[i],
                       m.order.order[i], m.crystalline[i] ? 1 : 0);
    crystals += m.crystalline[i];
  }
  output.files["order.csv"] = csv;
  output.columns["order"] = {m.order.order, 1};
  output.columns["crystalline"] = {std::vector<std::uint8_t>(m.crystalline.begin(), m.crystalline.end()), 1};
  const auto share =
      m.framework.size() == 0
          ? std::nullopt
          : std::optional(static_cast<double>(crystals) / static_cast<double>(m.framework.size()));
  return {{"mean", number_or_null(mean_of(m.order.order))},
          {"mean_q4", number_or_null(mean_of(m.order.q4))},
          {"mean_q6", number_or_null(mean_of(m.order.q6))},
          {"crystalline_atoms", crystals},
          {"crystalline_share", number_or_null(share)}};
}

/// Warren-Cowley parameters of the first shell: 1 - p(j | i) / c(j) (Cowley, Phys. Rev. 77 (1950) 669).
json measure_sro(const MeasuredModel& m, MeasureOutput& output) {
  const auto& z = m.framework.atomic_number;
  std::map<int, double> count;
  std::map<std::pair<int, int>, double> bonds;
  std::map<int, double> ends;
  for (std::size_t i = 0; i < z.size(); ++i) {
    ++count[z[i]];
    for (const auto& n : m.neighbours.of[i]) {
      ++bonds[{z[i], z[n.index]}];
      ++ends[z[i]];
    }
  }
  std::string csv = "from,to,share_of_neighbours,concentration,alpha\n";
  json pairs = json::object();
  for (const auto& [a, unused] : count)
    for (const auto& [b, atoms] : count) {
      const double c = atoms / static_cast<double>(z.size());
      const std::string from = element_symbol(static_cast<std::uint8_t>(a)),
                        to = element_symbol(static_cast<std::uint8_t>(b));
      const auto share = ends[a] > 0 ? std::optional(bonds[{a, b}] / ends[a]) : std::nullopt;
      const auto alpha = share && count.size() > 1 ? std::optional(1 - *share / c) : std::nullopt;
      csv += fmt::format("{},{},{},{:.6f},{}\n", from, to, cell(share, 6), c, cell(alpha, 6));
      pairs[from + "-" + to] = number_or_null(alpha);
    }
  output.files["sro.csv"] = csv;
  return {{"warren_cowley", pairs}};
}

}  // namespace aetos::analysis
