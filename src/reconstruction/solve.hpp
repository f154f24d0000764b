#pragma once

#include "aetos/parallel/run_context.hpp"
#include "aetos/tomography/projector.hpp"
#include "aetos/tomography/resire.hpp"
#include "checkpoint.hpp"
#include "decomposition.hpp"
#include "plan.hpp"

namespace aetos::reconstruction {

/// The problem as one rank sees it.
struct Problem {
  const Plan& plan;
  const tomography::ReconstructOptions& options;
  const Decomposition& mine;
  View<const float, 3> measured;  ///< (projection, u, padded v)
  tomography::Constraints constraints;

  /// Of this rank's part of the volume: (z, x, padded rows).
  Shape<3> volume_shape() const {
    const auto& px = plan.geometry.volume_px;
    return {px[0], px[2], tomography::padded_rows(mine.held_rows.size())};
  }
};

/// What goes with the iterations beside the method.
struct Judges {
  const Problem* held_out = nullptr;  ///< the projections kept out of the fit; none
  bool checkpoints = true;
  bool quiet = false;  ///< says nothing of its iterations
};

/// Iterates `state` up to options.iterations updates, with checkpoints in between; returns the R-factors of
/// the final volume. Throws Interrupted after a checkpoint. Collective; the same bits on any number of ranks.
/// Ends earlier where a stopping rule says so.
tomography::RFactors solve(const RunContext& context, const Problem& problem, State& state,
                           const Judges& judges);

}  // namespace aetos::reconstruction
