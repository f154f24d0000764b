#include "matching.hpp"

#include <fmt/format.h>

#include <Eigen/LU>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "aetos/atoms/neighbours.hpp"

namespace aetos::analysis {
namespace {

constexpr double kSettled_A = 1e-4;  // the published codes' own bound
constexpr int kMaximumRounds = 100;
constexpr double kGoodShare = 0.9;    // of the smaller model; below it other starts are tried
constexpr std::size_t kVoters = 200;  // traced atoms that vote

std::vector<Vec3> moved(const std::vector<Vec3>& points, const Vec3& by) {
  std::vector<Vec3> out(points.size());
  std::transform(points.begin(), points.end(), out.begin(), [&](const Vec3& p) -> Vec3 { return p + by; });
  return out;
}

bool fits_well(const Matching& m, const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
  return static_cast<double>(m.pairs.size()) >=
         kGoodShare * static_cast<double>(std::min(a.size(), b.size()));
}

/// The cell of a shift on the voting grid, as one number: 21 bits an axis.
std::uint64_t cell_of(const Vec3& d, double step, const Vec3& half) {
  std::uint64_t cell = 0;
  for (int a = 0; a < 3; ++a) {
    const double at = std::clamp(std::floor(d(a) / step + half(a)) + (1 << 20), 0.0, 2097151.0);
    cell = cell << 21 | static_cast<std::uint64_t>(at);
  }
  return cell;
}

/// The signed permutation number i of 48 (0 is the identity).
Mat3 signed_permutation(int i) {
  static constexpr std::array<std::array<int, 3>, 6> kOrders{
      {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};
  Mat3 m = Mat3::Zero();
  for (int row = 0; row < 3; ++row)
    m(row, kOrders[static_cast<std::size_t>(i / 8)][static_cast<std::size_t>(row)]) = (i >> row & 1) ? -1 : 1;
  return m;
}

std::string in_words(const Mat3& m) {
  std::string axes;
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column)
      if (m(row, column) != 0)
        axes += fmt::format("{}{}{}", row ? ", " : "", m(row, column) < 0 ? "-" : "", "xyz"[column]);
  return axes;
}

}  // namespace

Vec3 mean_point(const std::vector<Vec3>& points) {
  Vec3 sum = Vec3::Zero();
  for (const Vec3& p : points) sum += p;
  return points.empty() ? sum : Vec3(sum / static_cast<double>(points.size()));
}

std::vector<MatchedPair> match_points(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference,
                                      const Vec3& shift, double radius_A, config::MatchRule rule) {
  const std::vector<Vec3> here = moved(traced, -shift);
  const atoms::NeighbourSearch of_reference(reference), of_traced(here);
  std::vector<MatchedPair> pairs;
  for (std::size_t i = 0; i < here.size(); ++i) {
    const auto found = of_reference.nearest(here[i]);
    if (!found || found->distance_A > radius_A) continue;
    if (rule == config::MatchRule::mutual && of_traced.nearest(reference[found->index])->index != i) continue;
    pairs.push_back({i, found->index});
  }
  return pairs;
}

Matching match_from(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference, const Vec3& start,
                    const config::CompareOptions& options) {
  Matching matching;
  matching.shift_A = start;
  for (int round = 0; round < kMaximumRounds; ++round) {
    matching.pairs = match_points(traced, reference, matching.shift_A, options.match_radius_A, options.rule);
    if (matching.pairs.empty()) break;
    Vec3 mean = Vec3::Zero();
    for (const auto& p : matching.pairs) mean += traced[p.traced] - reference[p.reference];
    mean /= static_cast<double>(matching.pairs.size());
    const double move = (mean - matching.shift_A).cwiseAbs().maxCoeff();
    matching.shift_A = mean;
    if (move < kSettled_A) break;
  }
  return matching;
}

Vec3 vote_for_shift(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference, double radius_A) {
  if (traced.empty() || reference.empty()) return Vec3::Zero();
  const std::size_t stride = std::max<std::size_t>(1, traced.size() / kVoters);
  // Two grids half a cell apart, so that a cluster is never cut by both.
  Vec3 best = Vec3::Zero();
  std::size_t most = 0;
  for (const double half : {0.0, 0.5}) {
    const Vec3 offset = Vec3::Constant(half);
    std::vector<std::pair<std::uint64_t, std::uint32_t>> votes;
    votes.reserve((traced.size() / stride + 1) * reference.size());
    for (std::size_t i = 0; i < traced.size(); i += stride)
      for (std::size_t j = 0; j < reference.size(); ++j)
        votes.emplace_back(cell_of(traced[i] - reference[j], radius_A, offset),
                           static_cast<std::uint32_t>(i));
    std::sort(votes.begin(), votes.end());
    for (std::size_t begin = 0, end = 0; begin < votes.size(); begin = end) {
      while (end < votes.size() && votes[end].first == votes[begin].first) ++end;
      if (end - begin <= most) continue;
      most = end - begin;
      for (int a = 0; a < 3; ++a) {
        const auto bits = static_cast<double>(votes[begin].first >> (21 * (2 - a)) & 0x1fffff);
        best(a) = (bits - (1 << 20) - half + 0.5) * radius_A;
      }
    }
  }
  return best;
}

Matching match_best(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference,
                    const config::CompareOptions& options) {
  Matching best = match_from(traced, reference, Vec3::Zero(), options);
  const auto attempt = [&](const Vec3& start) {
    if (fits_well(best, traced, reference)) return;
    Matching other = match_from(traced, reference, start, options);
    if (other.pairs.size() > best.pairs.size()) best = std::move(other);
  };
  attempt(mean_point(traced) - mean_point(reference));
  if (!fits_well(best, traced, reference)) attempt(vote_for_shift(traced, reference, options.match_radius_A));
  return best;
}

std::string better_orientation(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference,
                               const config::CompareOptions& options, std::size_t matched) {
  const Vec3 from = mean_point(traced), to = mean_point(reference);
  std::size_t most = matched;
  std::optional<Mat3> best;
  for (int i = 1; i < 48; ++i) {
    const Mat3 turn = signed_permutation(i);
    std::vector<Vec3> turned(traced.size());
    std::transform(traced.begin(), traced.end(), turned.begin(),
                   [&](const Vec3& p) -> Vec3 { return turn * (p - from) + to; });
    const std::size_t n = match_from(turned, reference, Vec3::Zero(), options).pairs.size();
    if (n <= most) continue;
    most = n;
    best = turn;
  }
  // A few more matches by chance are no better fit.
  const double smaller = static_cast<double>(std::min(traced.size(), reference.size()));
  if (!best || static_cast<double>(most) < static_cast<double>(matched) + 0.2 * smaller) return {};
  const bool mirror = best->determinant() < 0;
  return fmt::format("{} (x, y, z become {}) fits: {} atoms would match instead of {}; nothing was {}",
                     mirror ? "the mirror image of the traced model" : "the traced model turned",
                     in_words(*best), most, matched, mirror ? "mirrored" : "turned");
}

}  // namespace aetos::analysis
