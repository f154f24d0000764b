#pragma once

#include <cstddef>

#include "aetos/simulation/window.hpp"

/// How long the arithmetic of a simulation takes, for estimates.
namespace aetos::simulation {

/// Seconds for one wave and slice, and for the potential of one slice of a tile.
struct Rates {
  double wave_slice_s = 0, slice_s = 0;
};

/// From a transform pair timed here and now, scaled by n² log n.
Rates rates_of_transforms(const Window& window);

/// n log2(n) of the pixels of a window: what one wave and slice takes.
double window_operations(const Window& window);
/// The same of all waves and slices of `probes`, and of the potentials of `tiles` tiles, as if every slice
/// held atoms.
double tile_operations(const Plan& plan, const Window& window, std::size_t probes, std::size_t tiles);

}  // namespace aetos::simulation
