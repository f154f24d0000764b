// Amorphous solids: atoms at random with a least distance, at a given density.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "aetos/atoms/build.hpp"
#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"

namespace aetos::atoms {
namespace {

/// Random sequential addition jams at a packed share of 0.38 of the volume; up to here it is quick.
constexpr double kEasyShare = 0.3;
/// Even pushed-apart spheres do not pack more densely at random (0.64).
constexpr double kDensestShare = 0.6;
constexpr int kPushes = 200;
constexpr double kAvogadro = 6.02214076e23;

/// Which places are near: a grid of boxes as wide as the least distance.
class Crowd {
 public:
  explicit Crowd(double distance_A) : distance_(distance_A) {}
  void add(const Vec3& r) { boxes_[box(r)].push_back(r); }
  bool has_near(const Vec3& r) const {
    for (int i = -1; i <= 1; ++i)
      for (int j = -1; j <= 1; ++j)
        for (int k = -1; k <= 1; ++k) {
          const auto found = boxes_.find(box(r + distance_ * Vec3(i, j, k)));
          if (found == boxes_.end()) continue;
          for (const auto& other : found->second)
            if ((other - r).squaredNorm() < distance_ * distance_) return true;
        }
    return false;
  }

 private:
  struct Hash {
    std::size_t operator()(const std::array<long, 3>& k) const {
      return static_cast<std::size_t>((k[0] * 73856093L) ^ (k[1] * 19349663L) ^ (k[2] * 83492791L));
    }
  };
  std::array<long, 3> box(const Vec3& r) const {
    return {std::lround(std::floor(r.x() / distance_)), std::lround(std::floor(r.y() / distance_)),
            std::lround(std::floor(r.z() / distance_))};
  }
  double distance_;
  std::unordered_map<std::array<long, 3>, std::vector<Vec3>, Hash> boxes_;
};

/// Draws places one after another; fewer than `count` where the region is full.
std::vector<Vec3> draw(const Region& region, std::size_t count, double distance_A,
                       std::span<const Vec3> fixed, std::uint64_t seed, std::uint32_t part) {
  Crowd crowd(distance_A);
  for (const auto& r : fixed) crowd.add(r);
  std::vector<Vec3> places;
  const std::uint64_t tries = 4000 * static_cast<std::uint64_t>(count) + 100000;
  for (std::uint64_t t = 0; t < tries && places.size() < count; ++t) {
    const auto u = random::uniform4(seed, random::Domain::builder, {part, 1, t});
    const Vec3 r = region.low + (region.high - region.low).cwiseProduct(Vec3(u[0], u[1], u[2]));
    if (!region.inside(r) || crowd.has_near(r)) continue;
    crowd.add(r);
    places.push_back(r);
  }
  return places;
}

/// Pushes the places apart, each pair by nine tenths of what it lacks, within the region.
void push_apart(const Region& region, double distance_A, std::span<const Vec3> fixed,
                std::vector<Vec3>& places) {
  std::vector<Vec3> all(places);
  all.insert(all.end(), fixed.begin(), fixed.end());
  for (int push = 0; push < kPushes; ++push) {
    const auto pairs = pairs_within(all, distance_A * (1 - 1e-6));
    std::vector<Vec3> move(all.size(), Vec3::Zero());
    bool any = false;
    for (const auto& p : pairs) {
      if (p.first >= places.size()) continue;
      const Vec3 between = all[p.first] - all[p.second];
      const double lacking = distance_A - p.distance_A;
      const Vec3 by = 0.45 * lacking * between / std::max(p.distance_A, 1e-9);
      move[p.first] += by;
      move[p.second] -= by;
      any = true;
    }
    if (!any) break;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Vec3 to = all[i] + move[i].cwiseMax(-0.5).cwiseMin(0.5);
      if (region.inside(to)) all[i] = to;
    }
  }
  std::copy_n(all.begin(), places.size(), places.begin());
}

/// How many atoms of each element: their shares of the whole, the rest to the largest remainders.
std::vector<std::size_t> counts_of(const std::vector<double>& shares, std::size_t atoms) {
  std::vector<std::size_t> counts;
  double taken = 0;
  std::size_t given = 0;
  for (double share : shares) {
    taken += share;
    const auto until = static_cast<std::size_t>(std::lround(taken * static_cast<double>(atoms)));
    counts.push_back(until - given);
    given = until;
  }
  return counts;
}

/// The elements in a random order (Fisher and Yates).
std::vector<std::uint8_t> shuffled(const std::vector<std::string>& elements,
                                   const std::vector<std::size_t>& counts, std::uint64_t seed,
                                   std::uint32_t part) {
  std::vector<std::uint8_t> numbers;
  for (std::size_t e = 0; e < elements.size(); ++e)
    numbers.insert(numbers.end(), counts[e], atomic_number(elements[e]));
  if (elements.size() < 2) return numbers;
  for (std::size_t i = numbers.size(); i > 1; --i) {
    const double u = random::uniform4(seed, random::Domain::builder, {part, 2, i})[0];
    std::swap(numbers[i - 1], numbers[std::min(i - 1, static_cast<std::size_t>(u * static_cast<double>(i)))]);
  }
  return numbers;
}

std::vector<double> shares_of(const SolidOptions& options, const std::string& key) {
  const std::size_t n = options.elements.size();
  if (n == 0) throw InputError(key, "no 'elements'", "the elements of the amorphous solid");
  auto shares = options.composition.empty() ? std::vector<double>(n, 1.0) : options.composition;
  if (shares.size() != n)
    throw InputError(key + ".composition", fmt::format("{} shares for {} elements", shares.size(), n),
                     "a share for each element");
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (!(sum > 0)) throw InputError(key + ".composition", "no share above 0", "shares such as [3, 4]");
  for (auto& s : shares) s /= sum;
  return shares;
}

}  // namespace

double atomic_weight(std::uint8_t atomic_number) {
  // IUPAC 2021 (abridged, the middle of intervals); the longest-lived isotope where there is no standard
  // weight.
  static constexpr std::array<double, 92> kWeights{
      1.008,   4.0026,  6.94,    9.01218, 10.81,   12.011,  14.007,  15.999,  18.9984, 20.1797, 22.9898,
      24.305,  26.9815, 28.085,  30.9738, 32.06,   35.45,   39.948,  39.0983, 40.078,  44.9559, 47.867,
      50.9415, 51.9961, 54.938,  55.845,  58.9332, 58.6934, 63.546,  65.38,   69.723,  72.63,   74.9216,
      78.971,  79.904,  83.798,  85.4678, 87.62,   88.9058, 91.224,  92.9064, 95.95,   97.9072, 101.07,
      102.906, 106.42,  107.868, 112.414, 114.818, 118.71,  121.76,  127.6,   126.904, 131.293, 132.905,
      137.327, 138.905, 140.116, 140.908, 144.242, 144.913, 150.36,  151.964, 157.25,  158.925, 162.5,
      164.93,  167.259, 168.934, 173.054, 174.967, 178.49,  180.948, 183.84,  186.207, 190.23,  192.217,
      195.084, 196.967, 200.592, 204.38,  207.2,   208.98,  208.982, 209.987, 222.018, 223.02,  226.025,
      227.028, 232.038, 231.036, 238.029};
  if (atomic_number < 1 || atomic_number > kWeights.size())
    throw InputError("elements", element_symbol(atomic_number),
                     "elements up to U, whose atomic weight is known");
  return kWeights[atomic_number - 1u];
}

std::vector<Vec3> pack_at_random(const Region& region, std::size_t count, double min_distance_A,
                                 std::span<const Vec3> fixed, std::uint64_t seed, std::uint32_t part,
                                 const std::string& key) {
  if (count == 0) return {};
  const double sphere = kPi / 6 * static_cast<double>(count) / region.volume_A3;
  const double share = sphere * std::pow(min_distance_A, 3);
  const auto too_dense = [&] {
    return InputError(
        key + ".min_distance_A",
        fmt::format("{} atoms {} Å apart do not fit {:.0f} Å³", count, min_distance_A, region.volume_A3),
        "a smaller distance or density");
  };
  if (share > kDensestShare) throw too_dense();
  const double drawn = share <= kEasyShare ? min_distance_A : std::cbrt(kEasyShare / sphere);
  auto places = draw(region, count, drawn, fixed, seed, part);
  if (places.size() < count) throw too_dense();
  if (drawn < min_distance_A) push_apart(region, min_distance_A, fixed, places);
  return places;
}

void fill_amorphous(const SolidOptions& options, const std::string& key, const Region& region,
                    std::uint64_t seed, std::uint32_t part, Structure& out) {
  const auto shares = shares_of(options, key);
  if (!options.density_g_cm3)
    throw InputError(key, "no 'density_g_cm3'", "the density of the amorphous solid");
  double weight = 0;
  for (std::size_t e = 0; e < shares.size(); ++e)
    weight += shares[e] * atomic_weight(atomic_number(options.elements[e]));
  const double per_A3 = *options.density_g_cm3 / weight * kAvogadro * 1e-24;
  const auto count = static_cast<std::size_t>(std::lround(per_A3 * region.volume_A3));
  std::vector<Vec3> fixed;
  for (const auto& r : out.position) {
    const Vec3 near = r.cwiseMax(region.low).cwiseMin(region.high);
    if ((near - r).norm() < options.min_distance_A) fixed.push_back(r);
  }
  const auto places = pack_at_random(region, count, options.min_distance_A, fixed, seed, part, key);
  const auto numbers = shuffled(options.elements, counts_of(shares, places.size()), seed, part);
  out.position.insert(out.position.end(), places.begin(), places.end());
  out.atomic_number.insert(out.atomic_number.end(), numbers.begin(), numbers.end());
}

}  // namespace aetos::atoms
