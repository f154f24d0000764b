#include "aetos/analysis/vacancies.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "aetos/atoms/neighbours.hpp"

namespace aetos::analysis {
namespace {

constexpr std::size_t kFullShell = 10, kPairs = 4;

double bond_length(Phase phase) {
  return phase == Phase::metal ? kMetalBond_A : kOxideBond_A;
}

/// The shell about a place, with the pairs of atoms that face each other across it and the mean of their
/// middles.
struct Shell {
  std::size_t atoms = 0, pairs = 0;
  Vec3 centre = Vec3::Zero();
};

std::optional<Shell> shell_about(const Vec3& place, std::span<const Vec3> points,
                                 const atoms::NeighbourSearch& search, std::span<const Phase> phases,
                                 Phase phase) {
  const double d = bond_length(phase);
  std::vector<Vec3> around;
  for (const auto& n : search.within(place, 1.25 * d)) {
    if (n.distance_A < 0.75 * d) return std::nullopt;
    if (phases[n.index] == phase) around.push_back(points[n.index] - place);
  }
  Shell shell{around.size(), 0, place};
  Vec3 sum = Vec3::Zero();
  for (std::size_t i = 0; i < around.size(); ++i)
    for (std::size_t j = i + 1; j < around.size(); ++j)
      if ((around[i] + around[j]).norm() < 0.3 * d) {
        ++shell.pairs;
        sum += 0.5 * (around[i] + around[j]);
      }
  if (shell.pairs > 0) shell.centre += sum / static_cast<double>(shell.pairs);
  return shell;
}

std::optional<Vacancy> vacancy_at(Vec3 place, std::span<const Vec3> points,
                                  const atoms::NeighbourSearch& search, std::span<const Phase> phases,
                                  Phase phase) {
  std::optional<Shell> shell;
  for (int round = 0; round < 4; ++round) {
    shell = shell_about(place, points, search, phases, phase);
    if (!shell || shell->pairs == 0) return std::nullopt;
    place = shell->centre;
  }
  if (shell->atoms < kFullShell || shell->pairs < kPairs) return std::nullopt;
  return Vacancy{place, phase, shell->atoms, shell->pairs};
}

/// The crystalline phase that at least three corners have.
std::optional<Phase> common_phase(const Tetrahedron& t, std::span<const Phase> phases) {
  for (const Phase p : {Phase::metal, Phase::crystalline_oxide})
    if (std::count_if(t.atoms.begin(), t.atoms.end(), [&](std::size_t a) { return phases[a] == p; }) >= 3)
      return p;
  return std::nullopt;
}

}  // namespace

std::vector<Vacancy> vacancies(std::span<const Vec3> points, const Triangulation& triangulation,
                               std::span<const Phase> phases) {
  const atoms::NeighbourSearch search(points);
  std::vector<Vacancy> found;
  for (const auto& t : triangulation.tetrahedra()) {
    const auto phase = common_phase(t, phases);
    if (!phase) continue;
    const double d = bond_length(*phase);
    if (t.circumradius_A < 0.8 * d || t.circumradius_A > 1.2 * d) continue;
    const auto vacancy = vacancy_at(circumcentre(points, t), points, search, phases, *phase);
    const bool known = vacancy && std::any_of(found.begin(), found.end(), [&](const Vacancy& v) {
                         return (v.place - vacancy->place).norm() < 0.5 * d;
                       });
    if (vacancy && !known) found.push_back(*vacancy);
  }
  std::sort(found.begin(), found.end(), [](const Vacancy& a, const Vacancy& b) {
    return std::lexicographical_compare(a.place.begin(), a.place.end(), b.place.begin(), b.place.end());
  });
  return found;
}

}  // namespace aetos::analysis
