#pragma once

#include <cstddef>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/core/geometry.hpp"

/// Matching two clouds of points under a shift; shared by `compare` and its search for the right start.
namespace aetos::analysis {

struct MatchedPair {
  std::size_t traced, reference;
};

struct Matching {
  std::vector<MatchedPair> pairs;  ///< ordered by traced index
  Vec3 shift_A = Vec3::Zero();     ///< mean of traced - reference over the pairs
};

/// Pairs under a fixed shift.
std::vector<MatchedPair> match_points(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference,
                                      const Vec3& shift, double radius_A, config::MatchRule rule);

/// Removes the mean difference and matches anew until it settles.
Matching match_from(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference, const Vec3& start,
                    const config::CompareOptions& options);

/// The matching from the start that matches most.
Matching match_best(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference,
                    const config::CompareOptions& options);

/// The difference traced - reference that most pairs of atoms share, on a grid of `radius_A`.
Vec3 vote_for_shift(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference, double radius_A);

/// What axis-wise flips, quarter turns and swaps of the traced model would match more, in words; empty if
/// none does.
std::string better_orientation(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference,
                               const config::CompareOptions& options, std::size_t matched);

Vec3 mean_point(const std::vector<Vec3>& points);

}  // namespace aetos::analysis
