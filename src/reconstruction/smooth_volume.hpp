#pragma once

#include <petscvec.h>

#include "solve.hpp"

namespace aetos::reconstruction {

/// The smoothed total variation as a term of the objective, beside the misfit times 1 / (projections x
/// depth). Weight and epsilon are in units of the largest pixel of all projections over the volume's depth.
class SmoothVolume {
 public:
  /// Collective.
  SmoothVolume(const Communicator& comm, const Problem& problem);
  /// The term's value; adds its gradient. Collective.
  double add(const Array<float, 3>& u, Vec gradient) const;

 private:
  const Communicator& comm_;
  const Problem& problem_;
  double weight_, epsilon_;
};

}  // namespace aetos::reconstruction
