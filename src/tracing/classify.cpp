#include "aetos/tracing/classify.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/array.hpp"
#include "aetos/core/random.hpp"

namespace aetos::tracing {
namespace {

constexpr std::uint32_t kStarts = 8;
constexpr int kMaximumRounds = 200;
constexpr double kSeparation = 2;  // a single bell-shaped class cut in two gives 1.3
constexpr double kAround_A = 10, kAtomsOfAll = 5;
constexpr int kMaximumTurns = 20;
constexpr double kLeastSpread = 1e-3;  // of a class's mean

std::size_t nearest(double x, std::span<const double> centres) {
  std::size_t best = 0;
  for (std::size_t c = 1; c < centres.size(); ++c)
    if (std::abs(x - centres[c]) < std::abs(x - centres[best])) best = c;
  return best;
}

/// Each further centre is a value drawn with probability proportional to its squared distance from those
/// there.
std::vector<double> seed_centres(std::span<const double> values, std::size_t classes, std::uint64_t seed,
                                 std::uint32_t start) {
  std::vector<double> centres;
  for (std::uint32_t c = 0; c < classes; ++c) {
    const double u = random::uniform4(seed, random::Domain::clustering, {start, c, 0})[0];
    std::vector<double> weight(values.size(), 1.0);
    for (std::size_t i = 0; i < values.size() && c > 0; ++i)
      weight[i] = std::pow(values[i] - centres[nearest(values[i], centres)], 2);
    const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
    double sum = 0;
    std::size_t i = 0;
    while (i + 1 < values.size() && (sum += weight[i]) < u * total) ++i;
    centres.push_back(values[i]);
  }
  std::sort(centres.begin(), centres.end());
  return centres;
}

/// Lloyd's rounds; returns the sum of squares within the classes.
double settle(std::span<const double> values, std::vector<double>& centres) {
  for (int round = 0; round < kMaximumRounds; ++round) {
    std::vector<double> sum(centres.size()), n(centres.size());
    for (const double v : values) {
      const std::size_t c = nearest(v, centres);
      sum[c] += v;
      n[c] += 1;
    }
    bool moved = false;
    for (std::size_t c = 0; c < centres.size(); ++c) {
      if (n[c] == 0) continue;
      moved = moved || sum[c] / n[c] != centres[c];
      centres[c] = sum[c] / n[c];
    }
    if (!moved) break;
  }
  std::sort(centres.begin(), centres.end());
  double cost = 0;
  for (const double v : values) cost += std::pow(v - centres[nearest(v, centres)], 2);
  return cost;
}

bool separated(std::span<const double> values, const Classes& classes) {
  const std::size_t k = classes.centres.size();
  std::vector<double> square(k), n(k);
  for (std::size_t i = 0; i < values.size(); ++i) {
    square[classes.of[i]] += std::pow(values[i] - classes.centres[classes.of[i]], 2);
    n[classes.of[i]] += 1;
  }
  for (std::size_t c = 0; c + 1 < k; ++c) {
    if (n[c] == 0 || n[c + 1] == 0) return false;
    const double spread = std::sqrt(square[c] / n[c]) + std::sqrt(square[c + 1] / n[c + 1]);
    const double apart = classes.centres[c + 1] - classes.centres[c];
    if (!(apart > kSeparation * spread) || !(apart > 1e-6 * std::abs(classes.centres[c + 1]))) return false;
  }
  return true;
}

}  // namespace

Classes classify(std::span<const double> intensity, std::size_t classes, std::uint64_t seed) {
  Classes result;
  result.of.assign(intensity.size(), classes - 1);
  result.probability.assign(intensity.size(), 1);
  if (classes < 2) return result;
  const auto [low, high] = std::minmax_element(intensity.begin(), intensity.end());
  if (intensity.size() < classes || *high - *low <= 1e-9 * std::abs(*high)) {
    result.told_apart = intensity.empty();
    return result;
  }
  double least = std::numeric_limits<double>::max();
  for (std::uint32_t start = 0; start < kStarts; ++start) {
    auto centres = seed_centres(intensity, classes, seed, start);
    const double cost = settle(intensity, centres);
    if (cost < least) least = cost, result.centres = std::move(centres);
  }
  for (std::size_t i = 0; i < intensity.size(); ++i) result.of[i] = nearest(intensity[i], result.centres);
  result.told_apart = separated(intensity, result);
  return result;
}

namespace {

/// Mean intensity of each class around each atom, (atom, class).
Array<double, 2> means_around(std::span<const double> intensity, const Classes& classes,
                              const std::vector<std::vector<std::size_t>>& around) {
  const std::size_t k = classes.centres.size();
  Array<double, 2> means({intensity.size(), k});
  for (std::size_t i = 0; i < intensity.size(); ++i) {
    std::vector<double> n(k, kAtomsOfAll);
    for (std::size_t c = 0; c < k; ++c) means(i, c) = kAtomsOfAll * classes.centres[c];
    for (const std::size_t j : around[i]) {
      means(i, classes.of[j]) += intensity[j];
      n[classes.of[j]] += 1;
    }
    for (std::size_t c = 0; c < k; ++c) means(i, c) /= n[c];
  }
  return means;
}

void set_probabilities(std::span<const double> intensity, const Array<double, 2>& means, Classes& classes) {
  const std::size_t k = classes.centres.size();
  std::vector<double> n(k), square(k), spread(k);
  for (std::size_t i = 0; i < intensity.size(); ++i) {
    const std::size_t c = classes.of[i];
    n[c] += 1;
    square[c] += std::pow(intensity[i] - means(i, c), 2);
  }
  for (std::size_t c = 0; c < k; ++c)
    spread[c] =
        std::max(std::sqrt(square[c] / std::max(1.0, n[c])), kLeastSpread * std::abs(classes.centres[c]));
  for (std::size_t i = 0; i < intensity.size(); ++i) {
    // Over the density of the atom's own class, which keeps far outliers from being 0 / 0.
    const auto log_density = [&](std::size_t c) {
      return std::log(n[c] / spread[c]) - std::pow((intensity[i] - means(i, c)) / spread[c], 2) / 2;
    };
    const double own = log_density(classes.of[i]);
    double sum = 0;
    for (std::size_t c = 0; c < k; ++c)
      if (n[c] > 0) sum += std::exp(std::min(log_density(c) - own, 700.0));
    classes.probability[i] = 1 / sum;
  }
}

}  // namespace

Classes classify_locally(std::span<const Vec3> position, std::span<const double> intensity,
                         std::size_t classes, std::uint64_t seed) {
  Classes result = classify(intensity, classes, seed);
  if (result.centres.size() < 2) return result;
  std::vector<std::vector<std::size_t>> around(position.size());
  const atoms::NeighbourSearch near(position);
  for (std::size_t i = 0; i < position.size(); ++i)
    for (const auto& other : near.neighbours_of(i, kAround_A)) around[i].push_back(other.index);
  Array<double, 2> means;
  for (int turn = 0; turn < kMaximumTurns; ++turn) {
    means = means_around(intensity, result, around);
    std::vector<std::size_t> of;
    for (std::size_t i = 0; i < intensity.size(); ++i) of.push_back(nearest(intensity[i], means[i].flat()));
    if (of == result.of) break;
    result.of = std::move(of);
  }
  set_probabilities(intensity, means, result);
  return result;
}

}  // namespace aetos::tracing
