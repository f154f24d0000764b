#include "aetos/analysis/phases.hpp"

#include <algorithm>
#include <array>

namespace aetos::analysis {
namespace {

constexpr std::size_t kFewNeighbours = 6;  ///< up to here order alone says little

/// Mean length of the bonds of an atom and its neighbours.
std::optional<double> local_bond_length(const Neighbourhood& n, std::size_t atom) {
  double sum = 0, bonds = 0;
  const auto add = [&](std::size_t i) {
    for (const auto& b : n.of[i]) sum += b.distance_A;
    bonds += static_cast<double>(n.coordination(i));
  };
  add(atom);
  for (const auto& b : n.of[atom]) add(b.index);
  return bonds > 0 ? std::optional(sum / bonds) : std::nullopt;
}

Phase phase_alone(const Neighbourhood& n, const std::vector<bool>& crystalline, std::size_t atom) {
  if (n.coordination(atom) <= kFewNeighbours) return Phase::other;
  const bool metallic = *local_bond_length(n, atom) < 0.5 * (kMetalBond_A + kOxideBond_A);
  if (crystalline[atom]) return metallic ? Phase::metal : Phase::crystalline_oxide;
  return metallic ? Phase::other : Phase::amorphous_oxide;
}

}  // namespace

const std::string& phase_name(Phase phase) {
  static const std::array<std::string, 4> names{"metal", "c-ZrO2", "a-ZrO2", "other"};
  return names[static_cast<std::size_t>(phase)];
}

std::vector<Phase> phases(const Neighbourhood& neighbours, const std::vector<bool>& crystalline) {
  std::vector<Phase> alone(neighbours.size()), smooth(neighbours.size());
  for (std::size_t i = 0; i < alone.size(); ++i) alone[i] = phase_alone(neighbours, crystalline, i);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    std::array<std::size_t, 4> votes{};
    ++votes[static_cast<std::size_t>(alone[i])];
    for (const auto& n : neighbours.of[i]) ++votes[static_cast<std::size_t>(alone[n.index])];
    const bool undecided = neighbours.coordination(i) <= kFewNeighbours;
    if (undecided) votes[static_cast<std::size_t>(Phase::other)] = 0;
    smooth[i] = alone[i];
    for (const Phase p : kPhases)
      if (votes[static_cast<std::size_t>(p)] > votes[static_cast<std::size_t>(smooth[i])]) smooth[i] = p;
  }
  return smooth;
}

Phase phase_of_most(std::span<const std::size_t> atoms, std::span<const Phase> phases) {
  Phase best = kPhases[0];
  long most = -1;
  for (const Phase p : kPhases) {
    const auto n = std::count_if(atoms.begin(), atoms.end(), [&](auto a) { return phases[a] == p; });
    if (n > most) {
      most = n;
      best = p;
    }
  }
  return best;
}

}  // namespace aetos::analysis
