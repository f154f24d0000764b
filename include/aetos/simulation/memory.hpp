#pragma once

#include "aetos/simulation/plan.hpp"
#include "aetos/simulation/window.hpp"

namespace aetos::simulation {

/// What a rank holds at most, in bytes: the slices of one tile, a batch of waves, the atoms, and the images
/// of one tilt when they are put together, beside the program.
double memory_per_rank_bytes(const Request& request, const Plan& plan, const Window& window);

/// Bytes that a run writes: the journal of its work items, and the images (before compression).
double bytes_written(const Request& request, const Plan& plan);

}  // namespace aetos::simulation
