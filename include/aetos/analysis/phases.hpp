#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aetos/analysis/neighbourhood.hpp"

namespace aetos::analysis {

/// Phases of a Zr-ZrO2 particle, told from its zirconium alone.
enum class Phase { metal, crystalline_oxide, amorphous_oxide, other };
inline constexpr Phase kPhases[] = {Phase::metal, Phase::crystalline_oxide, Phase::amorphous_oxide,
                                    Phase::other};
/// "metal", "c-ZrO2", "a-ZrO2", "other".
const std::string& phase_name(Phase phase);

/// Zr-Zr distances of the two lattices: FCC Zr (a = 4.53 Å) and cubic ZrO2 (a = 5.09 Å).
inline constexpr double kMetalBond_A = 3.20, kOxideBond_A = 3.60;

/// Each atom's phase. First by itself: crystalline atoms with more than 6 neighbours are metal or c-ZrO2, by
/// which of 3.20 and 3.60 Å the mean bond length of the atom and its neighbours is nearer; others with more
/// than 6 neighbours and a mean length nearer that of an oxide are a-ZrO2. Then each atom takes the label
/// that most of its neighbours and itself have (its own in a tie). Atoms that this cannot place are `other`:
/// without a label of their own and without a labelled neighbour, or disordered with the bond lengths of the
/// metal.
std::vector<Phase> phases(const Neighbourhood& neighbours, const std::vector<bool>& crystalline);

/// The phase that most of these atoms have; the earlier one of `kPhases` in a tie.
Phase phase_of_most(std::span<const std::size_t> atoms, std::span<const Phase> phases);

}  // namespace aetos::analysis
