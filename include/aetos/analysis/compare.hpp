#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/structure.hpp"

namespace aetos::analysis {

/// Two models held against each other (docs/physics.md, "Comparing two models"). A rigid shift is removed
/// and, with `rotate`, the rotation that lessens the squared differences of matched atoms most, found by
/// small steps from the identity. A model that is turned far or mirrored stays as it is, with a note where
/// another orientation would fit.
struct Comparison {
  struct Pair {
    std::size_t traced, reference;
    Vec3 difference_A;  ///< traced - reference, the common shift removed
  };
  std::size_t reference_atoms = 0;  ///< of the traced species
  std::size_t traced_atoms = 0;
  std::size_t matched = 0, matched_right_species = 0;
  std::vector<Pair> pairs;                        ///< ordered by traced index
  std::vector<std::size_t> missing, false_atoms;  ///< indices into reference and traced, ascending
  Vec3 shift_A = Vec3::Zero();                    ///< mean of traced - reference, removed
  Vec3 rotation_deg = Vec3::Zero();               ///< of the traced model, removed; axis times angle
  Vec3 centroid_A = Vec3::Zero();                 ///< of the reference atoms that count
  config::CompareOptions options;
  std::vector<std::string> notes;  ///< e.g. that the mirror image fits better
};

/// Matches the atoms of two models. Rule `mutual`: a pair is kept when each atom is the other's nearest,
/// within the radius. Rule `nearest`: every traced atom takes its nearest reference atom, as the published
/// codes do (two may share one). The mean difference of the pairs is removed and the matching repeated until
/// it moves less than 1e-4 Å. Starts are the files' own coordinates, equal centroids and, where both fit
/// badly, the shift that most pairs of atoms vote for; the start that matches most atoms wins, the earlier
/// one on a tie. `species`: the traced ones; reference atoms of others do not count. Empty = all. Throws
/// InputError if one is no element or the radius is not positive.
Comparison compare(const Structure& traced, const Structure& reference, const config::CompareOptions& options,
                   const std::vector<std::string>& species);

/// The stage's object of summary.json. RMSDs are square roots of unbiased variances (n - 1, since the mean is
/// removed), in pm; per axis they add in squares to the 3D value, as do `rmsd_along_pm` (z, the missing-wedge
/// direction) and `rmsd_across_pm` (x and y). `theta_deg`: the series' tilts, which set the missing wedge
/// (null values without). Undefined numbers are null.
nlohmann::json summarize(const Comparison& comparison, const Structure& reference,
                         const std::vector<double>& theta_deg);

/// comparison.json: the summary, histograms of displacements (`edges_pm` has one entry more than each list of
/// counts), missing and false atoms with their places.
nlohmann::json details(const Comparison& comparison, const Structure& traced, const Structure& reference,
                       const std::vector<double>& theta_deg);

}  // namespace aetos::analysis
