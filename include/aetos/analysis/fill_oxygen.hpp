#pragma once

#include <cstdint>
#include <string>

#include "aetos/atoms/build_options.hpp"
#include "aetos/core/structure.hpp"

namespace aetos::analysis {

/// Adds oxygen to a model without any: each tetrahedral site (those of the measure `oxidation`, by oxygen)
/// holds one with the probability of the phase that most of its corners have. Phases are the column `phase`
/// of the model where it has one, else those that the measure `phases` finds. Sites nearer than 1.6 Å to an
/// atom or 1.9 Å to an oxygen already placed stay empty. Every atom and oxygen has its phase in the column
/// `phase`; the seed alone decides which sites are filled. `place` (the file) is for messages. Throws
/// InputError for a model that has oxygen and for an unknown phase.
Structure fill_oxygen(const Structure& model, const atoms::OxygenShares& shares, std::uint64_t seed,
                      const std::string& place);

}  // namespace aetos::analysis
