#pragma once

#include "refinement.hpp"
#include "state.hpp"

namespace aetos::tracing {

/// Puts simulated images on the scale of the measured ones and takes off them what the atoms' displacements
/// change, by the model: one configuration of thermal motion would hide errors that are smaller than it.
void make_comparable(ImagesOfAtoms& simulated, const MeasuredImages& measured, const State& state);

}  // namespace aetos::tracing
