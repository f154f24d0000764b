#include "aetos/analysis/neighbourhood.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>

#include "aetos/core/units.hpp"

namespace aetos::analysis {
namespace {

constexpr double kFccQ4 = 0.190941, kFccQ6 = 0.574524;
constexpr double kCrystalline = 0.5;
constexpr double kNear_A = 8;  ///< of the published clean-up

/// q_lm of m = 0..l; those of -m are their conjugates up to a sign.
template <unsigned L>
using Moments = std::array<std::complex<double>, L + 1>;

template <unsigned L>
void add_harmonics(Moments<L>& sum, const Vec3& direction) {
  const double theta = std::acos(std::clamp(direction.z(), -1.0, 1.0));
  const double phi = std::atan2(direction.y(), direction.x());
  for (unsigned m = 0; m <= L; ++m) sum[m] += std::polar(std::sph_legendre(L, m, theta), m * phi);
}

template <unsigned L>
std::vector<double> averaged_q(std::span<const Vec3> points, const Neighbourhood& neighbours) {
  std::vector<Moments<L>> local(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (const auto& n : neighbours.of[i])
      if (n.distance_A > 0) add_harmonics<L>(local[i], (points[n.index] - points[i]) / n.distance_A);
    for (auto& q : local[i]) q /= static_cast<double>(std::max<std::size_t>(1, neighbours.coordination(i)));
  }
  std::vector<double> result(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    double sum = 0;
    for (unsigned m = 0; m <= L; ++m) {
      auto q = local[i][m];
      for (const auto& n : neighbours.of[i]) q += local[n.index][m];
      sum += (m == 0 ? 1 : 2) * std::norm(q / static_cast<double>(neighbours.coordination(i) + 1));
    }
    result[i] = std::sqrt(4 * kPi / (2 * L + 1) * sum);
  }
  return result;
}

}  // namespace

std::optional<double> Neighbourhood::mean_bond_length(std::size_t atom) const {
  if (of[atom].empty()) return std::nullopt;
  double sum = 0;
  for (const auto& n : of[atom]) sum += n.distance_A;
  return sum / static_cast<double>(of[atom].size());
}

Neighbourhood neighbourhood(std::span<const Vec3> points, double cutoff_A) {
  Neighbourhood result{cutoff_A, std::vector<std::vector<atoms::Neighbour>>(points.size())};
  if (!(cutoff_A > 0)) return result;
  const atoms::NeighbourSearch search(points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    result.of[i] = search.neighbours_of(i, cutoff_A);
    std::erase_if(result.of[i], [&](const auto& n) { return n.distance_A >= cutoff_A; });
  }
  return result;
}

BondOrder bond_order(std::span<const Vec3> points, const Neighbourhood& neighbours) {
  BondOrder b{averaged_q<4>(points, neighbours), averaged_q<6>(points, neighbours), {}};
  for (std::size_t i = 0; i < points.size(); ++i)
    b.order.push_back(std::hypot(b.q4[i], b.q6[i]) / std::hypot(kFccQ4, kFccQ6));
  return b;
}

std::vector<bool> crystalline(const BondOrder& order) {
  std::vector<bool> yes;
  for (const double o : order.order) yes.push_back(o >= kCrystalline);
  return yes;
}

std::vector<bool> crystalline_without_isolated(std::span<const Vec3> points, const BondOrder& order) {
  std::vector<std::size_t> candidates;
  std::vector<Vec3> places;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (order.order[i] > kCrystalline) {
      candidates.push_back(i);
      places.push_back(points[i]);
    }
  std::vector<bool> yes(points.size());
  std::vector<std::size_t> aside;
  std::vector<Vec3> kept;
  const atoms::NeighbourSearch all(places);
  for (std::size_t k = 0; k < places.size(); ++k) {
    if (all.neighbours_of(k, kNear_A).size() < 12) {
      aside.push_back(k);
    } else {
      kept.push_back(places[k]);
      yes[candidates[k]] = true;
    }
  }
  const atoms::NeighbourSearch rest(kept);
  for (const std::size_t k : aside)
    if (rest.within(places[k], kNear_A).size() >= 2) yes[candidates[k]] = true;
  return yes;
}

}  // namespace aetos::analysis
