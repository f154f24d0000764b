#include "aetos/analysis/compare.hpp"

#include <fmt/format.h>

#include <Eigen/LU>

#include <algorithm>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/core/rotation_vector.hpp"
#include "aetos/core/units.hpp"
#include "matching.hpp"

namespace aetos::analysis {
namespace {

std::set<std::uint8_t> numbers_of(const std::vector<std::string>& species) {
  std::set<std::uint8_t> numbers;
  for (const auto& symbol : species) {
    const std::uint8_t number = atomic_number(symbol);
    if (number == 0) throw InputError("trace.species", "'" + symbol + "'", "the symbol of an element");
    numbers.insert(number);
  }
  return numbers;
}

/// Indices of the reference atoms that count.
std::vector<std::size_t> counted_atoms(const Structure& reference, const std::vector<std::string>& species) {
  const auto numbers = numbers_of(species);
  std::vector<std::size_t> counted;
  for (std::size_t i = 0; i < reference.size(); ++i)
    if (numbers.empty() || numbers.contains(reference.atomic_number[i])) counted.push_back(i);
  return counted;
}

std::vector<std::size_t> not_used(std::size_t n, const std::vector<bool>& used) {
  std::vector<std::size_t> rest;
  for (std::size_t i = 0; i < n; ++i)
    if (!used[i]) rest.push_back(i);
  return rest;
}

/// The small rotation about the reference's centroid that brings matched atoms of the traced model nearest to
/// the reference: least squares of differences d = w x r, to first order.
Vec3 turn_between(const std::vector<Vec3>& traced, const std::vector<Vec3>& reference,
                  const Matching& matching, const Vec3& centre) {
  Mat3 normal = Mat3::Zero();
  Vec3 right = Vec3::Zero();
  for (const auto& [i, k] : matching.pairs) {
    const Vec3 r = reference[k] - centre, d = traced[i] - reference[k] - matching.shift_A;
    normal += r.squaredNorm() * Mat3::Identity() - r * r.transpose();
    right += r.cross(d);
  }
  normal.diagonal().array() += 1e-9;
  return normal.inverse() * right;
}

/// Turns the traced atoms onto the reference in small steps, matching anew after each; returns the rotation
/// that was removed.
Mat3 remove_rotation(std::vector<Vec3>& traced, const std::vector<Vec3>& reference, const Vec3& centre,
                     Matching& matching, const config::CompareOptions& options) {
  constexpr int kMostTurns = 30;
  constexpr double kSettled_rad = 1e-7;
  Mat3 removed = Mat3::Identity();
  for (int i = 0; i < kMostTurns && matching.pairs.size() > 3; ++i) {
    const Vec3 turn = turn_between(traced, reference, matching, centre);
    const Mat3 back = rotation_by(-turn);
    for (Vec3& place : traced) place = back * (place - centre) + centre;
    removed = removed * back.transpose();
    matching = match_best(traced, reference, options);
    if (turn.norm() < kSettled_rad) break;
  }
  return removed;
}

void add_notes(Comparison& c, const std::vector<Vec3>& traced, const std::vector<Vec3>& reference) {
  if (c.shift_A.norm() > c.options.match_radius_A)
    c.notes.push_back(fmt::format(
        "the traced model lies ({:.3f}, {:.3f}, {:.3f}) Å from the reference; this shift was removed",
        c.shift_A.x(), c.shift_A.y(), c.shift_A.z()));
  const double smaller = static_cast<double>(std::min(traced.size(), reference.size()));
  if (static_cast<double>(c.matched) >= 0.9 * smaller) return;
  const std::string turned = better_orientation(traced, reference, c.options, c.matched);
  if (!turned.empty()) c.notes.push_back(turned);
}

}  // namespace

Comparison compare(const Structure& traced, const Structure& reference, const config::CompareOptions& options,
                   const std::vector<std::string>& species) {
  if (!(options.match_radius_A > 0))
    throw InputError("compare.match_radius_A", fmt::format("{}", options.match_radius_A),
                     "a length above 0 Å");
  const auto counted = counted_atoms(reference, species);
  std::vector<Vec3> places;
  for (const std::size_t i : counted) places.push_back(reference.position[i]);

  Comparison c;
  c.options = options;
  c.reference_atoms = counted.size();
  c.traced_atoms = traced.size();
  c.centroid_A = mean_point(places);
  std::vector<Vec3> traced_places = traced.position;
  Matching matching = match_best(traced_places, places, options);
  if (options.rotate) {
    const Mat3 removed = remove_rotation(traced_places, places, c.centroid_A, matching, options);
    c.rotation_deg = rotation_vector(removed) * 180 / kPi;
  }
  if (!matching.pairs.empty()) c.shift_A = matching.shift_A;

  std::vector<bool> traced_used(traced.size()), place_used(places.size());
  for (const auto& [i, k] : matching.pairs) {
    c.pairs.push_back({i, counted[k], traced_places[i] - places[k] - c.shift_A});
    c.matched_right_species += traced.atomic_number[i] == reference.atomic_number[counted[k]];
    traced_used[i] = place_used[k] = true;
  }
  c.matched = c.pairs.size();
  c.false_atoms = not_used(traced.size(), traced_used);
  for (const std::size_t k : not_used(places.size(), place_used)) c.missing.push_back(counted[k]);
  add_notes(c, traced_places, places);
  return c;
}

}  // namespace aetos::analysis
