#include "selection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "aetos/atoms/neighbours.hpp"
#include "refinement.hpp"

namespace aetos::tracing {
namespace {

/// Of the median distance of nearest neighbours: in crystals and glasses of metals and oxides hardly any are
/// nearer.
constexpr double kRareShare = 0.8;
constexpr double kRareLogOdds = 5;
constexpr double kVarianceOverBound = 2;

/// J of evidence_of.
double lightest_intensity(const State& state, const std::vector<std::size_t>& kept) {
  const auto& at = state.model.layout;
  const auto& species = state.model.species_of;
  const auto lightest = std::min_element(species.begin(), species.end());
  std::vector<double> intensity;
  for (std::size_t a = 0; a < at.atoms; ++a)
    if (species[a] == *lightest && kept[a] != Refinement::kNew)
      intensity.push_back(state.parameters[at.intensity(a)]);
  return intensity.empty() ? typical_intensity(state) : median_of(std::move(intensity));
}

double usual_distance_A(const State& state) {
  const auto position = positions_of(state);
  const atoms::NeighbourSearch near(position);
  std::vector<double> distance;
  for (const Vec3& r : position)
    if (const auto two = near.nearest(r, 2); two.size() == 2) distance.push_back(two[1].distance_A);
  return median_of(std::move(distance));
}

}  // namespace

Evidence evidence_of(const State& state, const std::vector<std::size_t>& kept, double variance, double share,
                     double apart_A) {
  const double typical = lightest_intensity(state, kept);
  Evidence e{apart_A, share * typical, kRareShare * usual_distance_A(state), share * typical};
  if (typical > 0) e.least_there += kRareLogOdds * variance / typical;
  return e;
}

double intensity_variance(const std::vector<Eigen::Matrix4d>& information) {
  std::vector<double> bound;
  for (const auto& m : information)
    if (const double b = m.inverse()(3, 3); std::isfinite(b)) bound.push_back(b);
  return std::max(0.0, kVarianceOverBound * median_of(std::move(bound)));
}

std::vector<Verdict> judge(const State& state, const Evidence& evidence) {
  const auto& at = state.model.layout;
  const auto intensity = [&](std::size_t a) { return state.parameters[at.intensity(a)]; };
  const auto position = positions_of(state);
  std::vector<std::size_t> brightest_first(at.atoms);
  std::iota(brightest_first.begin(), brightest_first.end(), std::size_t{0});
  std::stable_sort(brightest_first.begin(), brightest_first.end(),
                   [&](std::size_t a, std::size_t b) { return intensity(a) > intensity(b); });
  const atoms::NeighbourSearch near(position);
  std::vector<Verdict> verdict(at.atoms, Verdict::weak);
  for (const std::size_t a : brightest_first) {
    if (intensity(a) < evidence.least) break;
    // Nearest first; those not judged yet count as weak.
    const auto others = near.neighbours_of(a, std::max(evidence.apart_A, evidence.rare_A));
    const auto other = std::find_if(others.begin(), others.end(), [&](const atoms::Neighbour& o) {
      return verdict[o.index] == Verdict::stays;
    });
    const double distance = other == others.end() ? evidence.rare_A : other->distance_A;
    if (other != others.end() && distance <= evidence.apart_A)
      verdict[a] = Verdict::too_close;
    else if (intensity(a) >= evidence.least_at(distance < evidence.rare_A))
      verdict[a] = Verdict::stays;
  }
  return verdict;
}

}  // namespace aetos::tracing
