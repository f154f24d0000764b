#pragma once

#include <Eigen/Dense>

#include <cstddef>
#include <vector>

#include "state.hpp"

/// Which of the atoms that refinement has are atoms.
namespace aetos::tracing {

/// What an atom must show to count as one.
struct Evidence {
  double apart_A = 0;      ///< no atom is nearer than this to a brighter one
  double least = 0;        ///< intensity
  double rare_A = 0;       ///< hardly any atom is nearer than this to another
  double least_there = 0;  ///< intensity of one that is

  double least_at(bool rare) const { return rare ? least_there : least; }
};

/// By an intensity I, noise of variance v and an atom of the typical intensity J are equally likely at
/// I = J / 2 + v / J ln(odds), the odds being those of none before the images are seen (Bayes; two normal
/// distributions of equal variance). At places that are not rare `share` of J, about one half, is asked for.
/// J is the median of the lightest species that there is, without the atoms added from residuals (`kept`):
/// false ones among them must not lower it.
Evidence evidence_of(const State& state, const std::vector<std::size_t>& kept, double variance, double share,
                     double apart_A);

/// v of evidence_of: twice the median bound, as neighbours are not known in truth.
double intensity_variance(const std::vector<Eigen::Matrix4d>& information);

enum class Verdict { stays, weak, too_close };

/// Brightest first: what is weaker than the evidence asks for goes, and what has no room.
std::vector<Verdict> judge(const State& state, const Evidence& evidence);

}  // namespace aetos::tracing
