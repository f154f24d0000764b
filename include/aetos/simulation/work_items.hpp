#pragma once

#include <cstddef>
#include <vector>

#include "aetos/parallel/journal.hpp"
#include "aetos/simulation/plan.hpp"
#include "aetos/simulation/window.hpp"

/// The work of a simulation in pieces that any rank can do alone: a tile of probes, at one tilt, through one
/// configuration of the atoms.
namespace aetos::simulation {

struct WorkItem {
  std::size_t tilt = 0, configuration = 0, tile = 0;
  friend bool operator==(const WorkItem&, const WorkItem&) = default;
};

/// tilt in the upper 16 bits, configuration in the next 16, tile in the lower 32; keys ascend as items do.
Journal::Key key_of(const WorkItem& item);
WorkItem item_of(Journal::Key key);

/// Every item of a plan, ordered by tilt, configuration, tile. Throws InputError if there are more than keys
/// can tell apart.
std::vector<WorkItem> all_items(const Plan& plan);

/// What each tile of one tilt costs, in wave-slices: its probes and its potential, over the slices that hold
/// atoms within reach of it. `wave_slices` is the part of the probes alone.
struct TileWork {
  double cost = 0;
  double wave_slices = 0;
  double slices = 0;  ///< that hold atoms
};
std::vector<TileWork> tile_work(const Request& request, const Plan& plan, const Window& window,
                                std::size_t tilt);

/// Wave-slices of all probes at one tilt: what each feels within its own window, on a coarser raster where
/// there are many.
double probe_wave_slices(const Request& request, const Plan& plan, const Window& window, std::size_t tilt);

}  // namespace aetos::simulation
