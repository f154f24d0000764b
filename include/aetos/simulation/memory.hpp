#pragma once

#include "aetos/io/disk_space.hpp"
#include "aetos/simulation/plan.hpp"
#include "aetos/simulation/window.hpp"

namespace aetos::simulation {

/// What a rank holds at most, in bytes: the slices of one tile, a batch of waves, the atoms, and the images
/// of one tilt when they are put together, beside the program.
double memory_per_rank_bytes(const Request& request, const Plan& plan, const Window& window);

/// What a run writes: the journal of its work items; images and patterns (before compression).
struct BytesWritten {
  double journal = 0, images = 0, patterns = 0;
  double all() const { return journal + images + patterns; }
  /// To be there before the simulation begins, with the series under this name.
  io::SpaceNeeded space(const std::filesystem::path& series) const;
};
BytesWritten bytes_written(const Request& request, const Plan& plan);

}  // namespace aetos::simulation
