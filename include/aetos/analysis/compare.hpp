#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/structure.hpp"

namespace aetos::analysis {

/// Two models held against each other (spec: docs/physics.md, "Comparing two models").
struct Comparison {
  struct Pair {
    std::size_t traced, reference;
    Vec3 difference_A;  ///< traced - reference, the common shift removed
  };
  std::size_t reference_atoms = 0, traced_atoms = 0;
  std::size_t matched = 0, matched_right_species = 0;
  std::vector<Pair> pairs;                 ///< ordered by traced index
  std::vector<std::size_t> missing, false_atoms;
  Vec3 shift_A = Vec3::Zero();             ///< mean of traced - reference, removed
  std::vector<std::string> notes;          ///< e.g. that the mirror image fits better
};

/// `species`: the traced ones; reference atoms of others do not count. Empty = all.
Comparison compare(const Structure& traced, const Structure& reference, const config::CompareOptions& options,
                   const std::vector<std::string>& species);

/// The stage's object of summary.json. `tilt_range_deg`: first and last theta; sets the missing wedge (null values
/// without). Undefined numbers are null.
nlohmann::json summarize(const Comparison& comparison, const Structure& reference,
                         const std::vector<double>& theta_deg);

/// comparison.json: the summary and histograms of displacements, missing and false atoms.
nlohmann::json details(const Comparison& comparison, const Structure& traced, const Structure& reference,
                       const std::vector<double>& theta_deg);

}  // namespace aetos::analysis
