#include "aetos/tracing/threshold.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

namespace aetos::tracing {
namespace {

constexpr std::size_t kBins = 256;
constexpr double kNoiseShare = 0.3, kNumerousNoiseShare = 0.6;
constexpr double kNoisyShare = 0.2;
constexpr double kNumerous = 30;  // maxima; a few may be anything

struct Histogram {
  double first = 0, width = 0;
  std::vector<double> counts;
  double middle(std::size_t bin) const { return first + (static_cast<double>(bin) + 0.5) * width; }
};

Histogram histogram_of(std::span<const float> heights, double background) {
  const auto [low, high] = std::minmax_element(heights.begin(), heights.end());
  Histogram h;
  h.first = static_cast<double>(*low) - background;
  h.width = (static_cast<double>(*high) - static_cast<double>(*low)) / static_cast<double>(kBins);
  h.counts.assign(kBins, 0.0);
  for (const float v : heights) {
    const double at = h.width > 0 ? (static_cast<double>(v) - background - h.first) / h.width : 0.0;
    h.counts[std::min(kBins - 1, static_cast<std::size_t>(at))] += 1;
  }
  return h;
}

/// First bins of the `classes` runs of bins with the least variance within them (dynamic programming).
std::vector<std::size_t> split(const Histogram& h, std::size_t classes) {
  std::vector<double> n(kBins + 1), sum(kBins + 1), square(kBins + 1);
  for (std::size_t i = 0; i < kBins; ++i) {
    const double x = h.middle(i);
    n[i + 1] = n[i] + h.counts[i];
    sum[i + 1] = sum[i] + h.counts[i] * x;
    square[i + 1] = square[i] + h.counts[i] * x * x;
  }
  const auto within = [&](std::size_t begin, std::size_t end) {
    const double count = n[end] - n[begin], s = sum[end] - sum[begin];
    return count > 0 ? std::max(0.0, square[end] - square[begin] - s * s / count) : 0.0;
  };
  std::vector<double> best(kBins + 1);
  std::vector<std::vector<std::size_t>> cut(classes, std::vector<std::size_t>(kBins + 1));
  for (std::size_t end = 0; end <= kBins; ++end) best[end] = within(0, end);
  for (std::size_t c = 1; c < classes; ++c) {
    std::vector<double> next(kBins + 1, std::numeric_limits<double>::max());
    for (std::size_t end = c + 1; end <= kBins; ++end)
      for (std::size_t at = c; at < end; ++at) {
        const double cost = best[at] + within(at, end);
        if (cost < next[end]) next[end] = cost, cut[c][end] = at;
      }
    best = std::move(next);
  }
  std::vector<std::size_t> firsts(classes);
  std::size_t end = kBins;
  for (std::size_t c = classes; c-- > 1;) end = firsts[c] = cut[c][end];
  return firsts;
}

double count_of(const Histogram& h, std::size_t begin, std::size_t end) {
  return std::accumulate(h.counts.begin() + static_cast<std::ptrdiff_t>(begin),
                         h.counts.begin() + static_cast<std::ptrdiff_t>(end), 0.0);
}

double mean_of(const Histogram& h, std::size_t begin, std::size_t end) {
  double n = 0, sum = 0;
  for (std::size_t i = begin; i < end; ++i) n += h.counts[i], sum += h.counts[i] * h.middle(i);
  return n > 0 ? sum / n : 0;
}

/// Middle of the longest empty run (no count within five bins) between two heights, if there is one.
std::optional<double> empty_valley(const Histogram& h, double from, double to) {
  std::vector<double> sums(kBins);
  for (std::size_t i = 0; i < kBins; ++i)
    for (std::size_t j = i < 2 ? 0 : i - 2; j < std::min(kBins, i + 3); ++j) sums[i] += h.counts[j];
  std::size_t best_begin = 0, best_length = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    std::size_t length = 0;
    while (i + length < kBins && h.middle(i + length) >= from && h.middle(i + length) <= to &&
           sums[i + length] == 0)
      ++length;
    if (length > best_length) best_begin = i, best_length = length;
    i += length;
  }
  if (best_length == 0) return {};
  return h.first + (static_cast<double>(best_begin) + static_cast<double>(best_length) / 2) * h.width;
}

}  // namespace

Threshold find_threshold(std::span<const float> heights, double background, std::size_t species) {
  if (heights.empty()) return {background, false, false};
  const Histogram h = histogram_of(heights, background);
  bool noisy = false;
  const double lowest = h.first;
  if (h.width > 0 && heights.size() > species + 1) {
    const auto firsts = split(h, species + 1);
    const std::size_t after = species > 1 ? firsts[2] : kBins;
    const double noise = mean_of(h, 0, firsts[1]), atoms = mean_of(h, firsts[1], after);
    const double otsu = h.first + static_cast<double>(firsts[1]) * h.width;
    const double lower = count_of(h, 0, firsts[1]);
    const bool numerous = lower > kNumerous && lower > count_of(h, firsts[1], kBins);
    noisy = numerous && noise >= kNoisyShare * atoms;
    if (noise < (numerous ? kNumerousNoiseShare : kNoiseShare) * atoms)
      return {background + empty_valley(h, noise, atoms).value_or(otsu), true, noisy};
  }
  return {background + lowest / 2, false, noisy};
}

}  // namespace aetos::tracing
