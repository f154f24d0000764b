#include "aetos/analysis/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "aetos/core/error.hpp"
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
  const Matching matching = match_best(traced.position, places, options);
  if (!matching.pairs.empty()) c.shift_A = matching.shift_A;

  std::vector<bool> traced_used(traced.size()), place_used(places.size());
  for (const auto& [i, k] : matching.pairs) {
    c.pairs.push_back({i, counted[k], traced.position[i] - places[k] - c.shift_A});
    c.matched_right_species += traced.atomic_number[i] == reference.atomic_number[counted[k]];
    traced_used[i] = place_used[k] = true;
  }
  c.matched = c.pairs.size();
  c.false_atoms = not_used(traced.size(), traced_used);
  for (const std::size_t k : not_used(places.size(), place_used)) c.missing.push_back(counted[k]);
  add_notes(c, traced.position, places);
  return c;
}

}  // namespace aetos::analysis
