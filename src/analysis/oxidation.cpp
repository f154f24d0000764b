#include "aetos/analysis/oxidation.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/analysis/polyhedra.hpp"
#include "aetos/atoms/neighbours.hpp"

namespace aetos::analysis {
namespace {

constexpr double kOxygenApart_A = 2.2;
constexpr double kShortestBond_A = 1.7, kLongestBond_A = 2.9;

bool is_crystal(Phase p) {
  return p == Phase::metal || p == Phase::crystalline_oxide;
}

int crystalline_corners(const Tetrahedron& t, std::span<const Phase> phases) {
  return static_cast<int>(
      std::count_if(t.atoms.begin(), t.atoms.end(), [&](std::size_t a) { return is_crystal(phases[a]); }));
}

/// A tetrahedron of a disordered region in which an oxygen would have bonds of a fair length.
struct Candidate {
  OxygenSite site;
  double irregularity_A2 = 0;  ///< variance of the distances of the corners from the centroid
};

std::optional<Candidate> candidate(std::span<const Vec3> points, const Tetrahedron& t) {
  Candidate c{{t.atoms, centroid(points, t), 0}, 0};
  double sum = 0, squares = 0;
  for (const std::size_t a : t.atoms) {
    const double r = (points[a] - c.site.place).norm();
    if (r < kShortestBond_A || r > kLongestBond_A) return std::nullopt;
    sum += r;
    squares += r * r;
  }
  c.irregularity_A2 = squares / 4 - sum * sum / 16;
  return c;
}

/// Of sites nearer to each other than an oxygen allows the most regular stays.
std::vector<OxygenSite> kept_apart(std::vector<Candidate> candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const auto& a, const auto& b) { return a.irregularity_A2 < b.irregularity_A2; });
  std::vector<Vec3> places;
  for (const auto& c : candidates) places.push_back(c.site.place);
  const atoms::NeighbourSearch search(places);
  std::vector<bool> crowded(candidates.size());
  std::vector<OxygenSite> kept;
  for (std::size_t s = 0; s < candidates.size(); ++s) {
    if (crowded[s]) continue;
    kept.push_back(candidates[s].site);
    for (const auto& n : search.within(places[s], kOxygenApart_A)) crowded[n.index] = true;
  }
  return kept;
}

}  // namespace

std::vector<OxygenSite> sites_by_volume(std::span<const Vec3> points,
                                        std::span<const Tetrahedron> near_regular) {
  std::vector<OxygenSite> sites;
  for (const auto& t : near_regular) {
    const double degree = (t.volume_A3 - kMetalSite_A3) / (kOxideSite_A3 - kMetalSite_A3);
    sites.push_back({t.atoms, centroid(points, t), std::clamp(degree, 0.0, 1.0)});
  }
  return sites;
}

std::vector<OxygenSite> sites_by_oxygen(std::span<const Vec3> points, const Triangulation& triangulation,
                                        std::span<const Tetrahedron> near_regular,
                                        std::span<const Phase> phases, std::span<const Vec3> oxygen) {
  const atoms::NeighbourSearch oxygen_search(oxygen), atom_search(points);
  const auto oxygen_within = [&](const Vec3& place, double radius) {
    const auto nearest = oxygen_search.nearest(place);
    return nearest && nearest->distance_A < radius;
  };
  const auto disordered = [&](const Vec3& place) {
    return !is_crystal(phases[atom_search.nearest(place)->index]);
  };

  std::vector<OxygenSite> sites;
  for (const auto& t : near_regular)
    if (crystalline_corners(t, phases) >= 3) {
      const Vec3 place = centroid(points, t);
      sites.push_back({t.atoms, place, oxygen_within(place, kOxygenApart_A / 2) ? 1.0 : 0.0});
    }
  for (const Vec3& place : oxygen) {
    const auto corners = atom_search.nearest(place, 4);
    if (corners.size() < 4 || is_crystal(phases[corners[0].index])) continue;
    OxygenSite site{{}, place, 1};
    for (std::size_t k = 0; k < 4; ++k) site.atoms[k] = corners[k].index;
    sites.push_back(site);
  }
  std::vector<Candidate> empty;
  for (const auto& t : triangulation.tetrahedra())
    if (crystalline_corners(t, phases) < 3)
      if (const auto c = candidate(points, t);
          c && disordered(c->site.place) && !oxygen_within(c->site.place, kOxygenApart_A))
        empty.push_back(*c);
  const auto kept = kept_apart(std::move(empty));
  sites.insert(sites.end(), kept.begin(), kept.end());
  return sites;
}

std::vector<std::optional<double>> mean_over_sites(std::size_t atoms, std::span<const OxygenSite> sites) {
  std::vector<double> sum(atoms), count(atoms);
  for (const auto& s : sites)
    for (const std::size_t a : s.atoms) {
      sum[a] += s.value;
      count[a] += 1;
    }
  std::vector<std::optional<double>> means(atoms);
  for (std::size_t a = 0; a < atoms; ++a)
    if (count[a] > 0) means[a] = sum[a] / count[a];
  return means;
}

}  // namespace aetos::analysis
