#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aetos/parallel/run_context.hpp"
#include "aetos/tomography/resire.hpp"
#include "decomposition.hpp"
#include "plan.hpp"

namespace aetos::reconstruction {

/// Everything that the next iteration depends on.
struct State {
  int iteration = 0;      ///< updates done
  int passes = 0;         ///< every projection forward and back once: the work done
  Array<float, 3> u;      ///< volume (z, x, padded rows)
  Array<float, 3> point;  ///< extrapolated point of the accelerated methods; empty for others
  tomography::Momentum momentum;
  double relaxation = 1;          ///< of the ordered subsets' steps
  std::vector<double> r_history;  ///< mean R1 before each update
  std::vector<double> r_free;     ///< mean R1 of held-out projections after each step, where it decides
};

/// A state of zeros.
State first_state(const Plan& plan, const Decomposition& mine);

/// Puts the state on disk as a new generation: each rank writes the rows that it owns to a file of its own,
/// then one rank publishes a manifest that names them all; a generation without manifest does not exist. The
/// generation before is kept (`keep_previous`) in case this one is damaged, older ones are removed.
/// Collective.
void write_checkpoint(const RunContext& context, const Plan& plan, const Decomposition& mine,
                      const State& state, bool keep_previous);

/// The newest complete generation with this fingerprint and at most `iterations` updates, on any number of
/// ranks; none if there is none. Damaged ones are passed over with a warning. Collective.
std::optional<State> read_checkpoint(const RunContext& context, const Plan& plan, const Decomposition& mine,
                                     int iterations);

}  // namespace aetos::reconstruction
