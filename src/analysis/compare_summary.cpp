#include <algorithm>
#include <cmath>
#include <numeric>

#include "aetos/analysis/compare.hpp"
#include "aetos/core/units.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;

constexpr double kPmPerA = 100;
constexpr double kBin_pm = 5;

/// Half the angle about z that no projection looks along, in degrees; 0 where the tilts go all round, that
/// is, where what is missing is no wider than the series' own steps.
double half_missing_deg(std::vector<double> theta) {
  std::sort(theta.begin(), theta.end());
  double step = 0;
  for (std::size_t i = 1; i < theta.size(); ++i) step = std::max(step, theta[i] - theta[i - 1]);
  const double missing = 180 - (theta.back() - theta.front());
  return missing <= std::min(5.0, 1.01 * step) ? 0 : missing / 2;
}

/// Whether an atom lies along the missing wedge as seen from the centroid: its (x, z) polar angle is near
/// +-z.
bool in_missing_wedge(const Vec3& r, const Vec3& centroid, double half_deg) {
  const Vec3 d = r - centroid;
  return std::atan2(std::abs(d.x()), std::abs(d.z())) <= radians(half_deg);
}

/// Root of the summed variance of some of the pairs' components. The common mean took one degree of freedom
/// of n.
json rmsd_pm(const std::vector<Vec3>& differences, std::size_t all, const Vec3& axes = Vec3::Ones()) {
  if (differences.empty() || all < 2) return nullptr;
  double sum = 0;
  for (const Vec3& d : differences) sum += d.cwiseProduct(axes).squaredNorm();
  const auto n = static_cast<double>(all);
  return kPmPerA * std::sqrt(sum / static_cast<double>(differences.size()) * n / (n - 1));
}

std::vector<Vec3> differences_of(const Comparison& c) {
  std::vector<Vec3> out;
  for (const auto& p : c.pairs) out.push_back(p.difference_A);
  return out;
}

/// Displacements of the atoms along the missing wedge and of all others.
struct Split {
  std::vector<Vec3> wedge, elsewhere;
};

Split split_by_wedge(const Comparison& c, const Structure& reference, const std::vector<double>& theta_deg) {
  Split split;
  const double half = half_missing_deg(theta_deg);
  for (const auto& p : c.pairs) {
    const bool in = half > 0 && in_missing_wedge(reference.position[p.reference], c.centroid_A, half);
    (in ? split.wedge : split.elsewhere).push_back(p.difference_A);
  }
  return split;
}

json lengths_histogram(const std::vector<Vec3>& differences, std::size_t bins) {
  std::vector<std::size_t> counts(bins);
  for (const Vec3& d : differences)
    ++counts[std::min(bins - 1, static_cast<std::size_t>(kPmPerA * d.norm() / kBin_pm))];
  return counts;
}

json component_histogram(const std::vector<Vec3>& differences, int axis, std::size_t half_bins) {
  std::vector<std::size_t> counts(2 * half_bins);
  for (const Vec3& d : differences) {
    const double at = std::floor(kPmPerA * d(axis) / kBin_pm) + static_cast<double>(half_bins);
    ++counts[static_cast<std::size_t>(std::clamp(at, 0.0, static_cast<double>(2 * half_bins - 1)))];
  }
  return counts;
}

json edges_pm(double first, std::size_t bins) {
  std::vector<double> edges(bins + 1);
  for (std::size_t i = 0; i <= bins; ++i) edges[i] = first + kBin_pm * static_cast<double>(i);
  return edges;
}

json median_pm(std::vector<Vec3> differences) {
  if (differences.empty()) return nullptr;
  std::vector<double> lengths;
  for (const Vec3& d : differences) lengths.push_back(kPmPerA * d.norm());
  std::sort(lengths.begin(), lengths.end());
  return (lengths[(lengths.size() - 1) / 2] + lengths[lengths.size() / 2]) / 2;
}

json atoms_list(const Structure& structure, const std::vector<std::size_t>& which) {
  json list = json::array();
  for (const std::size_t i : which) {
    const Vec3& r = structure.position[i];
    list.push_back({{"index", i},
                    {"species", element_symbol(structure.atomic_number[i])},
                    {"position_A", {r.x(), r.y(), r.z()}}});
  }
  return list;
}

}  // namespace

json summarize(const Comparison& c, const Structure& reference, const std::vector<double>& theta_deg) {
  const auto all = differences_of(c);
  json s;
  s["rule"] = c.options.rule == config::MatchRule::mutual ? "mutual" : "nearest";
  s["match_radius_A"] = c.options.match_radius_A;
  s["reference_atoms"] = c.reference_atoms;
  s["traced_atoms"] = c.traced_atoms;
  s["matched"] = c.matched;
  s["matched_right_species"] = c.matched_right_species;
  s["identified_fraction"] =
      c.reference_atoms == 0
          ? json(nullptr)
          : json(static_cast<double>(c.matched_right_species) / static_cast<double>(c.reference_atoms));
  s["missing_atoms"] = c.missing.size();
  s["false_atoms"] = c.false_atoms.size();
  s["rmsd_pm"] = rmsd_pm(all, c.matched);
  s["rmsd_axis_pm"] = json::array();
  for (int a = 0; a < 3; ++a) s["rmsd_axis_pm"].push_back(rmsd_pm(all, c.matched, Vec3::Unit(a)));
  s["rmsd_along_pm"] = rmsd_pm(all, c.matched, Vec3::UnitZ());
  s["rmsd_across_pm"] = rmsd_pm(all, c.matched, Vec3(1, 1, 0));
  s["median_pm"] = median_pm(all);
  s["rmsd_missing_wedge_pm"] = s["rmsd_elsewhere_pm"] = s["missing_wedge_deg"] = nullptr;
  if (!theta_deg.empty()) {
    const Split split = split_by_wedge(c, reference, theta_deg);
    s["missing_wedge_deg"] = 2 * half_missing_deg(theta_deg);
    s["rmsd_missing_wedge_pm"] = rmsd_pm(split.wedge, c.matched);
    s["rmsd_elsewhere_pm"] = rmsd_pm(split.elsewhere, c.matched);
  }
  if (c.options.rotate) s["rotation_deg"] = {c.rotation_deg.x(), c.rotation_deg.y(), c.rotation_deg.z()};
  s["shift_A"] = c.matched == 0 ? json(nullptr) : json({c.shift_A.x(), c.shift_A.y(), c.shift_A.z()});
  s["notes"] = c.notes;
  return s;
}

json details(const Comparison& c, const Structure& traced, const Structure& reference,
             const std::vector<double>& theta_deg) {
  json d;
  d["summary"] = summarize(c, reference, theta_deg);
  const auto all = differences_of(c);
  const auto bins = static_cast<std::size_t>(std::ceil(kPmPerA * c.options.match_radius_A / kBin_pm)) + 1;
  auto& lengths = d["histograms"]["displacement"];
  lengths["edges_pm"] = edges_pm(0, bins);
  lengths["all"] = lengths_histogram(all, bins);
  if (!theta_deg.empty()) {
    const Split split = split_by_wedge(c, reference, theta_deg);
    lengths["missing_wedge"] = lengths_histogram(split.wedge, bins);
    lengths["elsewhere"] = lengths_histogram(split.elsewhere, bins);
  }
  auto& components = d["histograms"]["components"];
  components["edges_pm"] = edges_pm(-kBin_pm * static_cast<double>(bins), 2 * bins);
  for (int a = 0; a < 3; ++a) components[std::string(1, "xyz"[a])] = component_histogram(all, a, bins);
  d["missing"] = atoms_list(reference, c.missing);
  d["false"] = atoms_list(traced, c.false_atoms);
  return d;
}

}  // namespace aetos::analysis
