#pragma once

#include <cstdint>
#include <vector>

#include "aetos/parallel/journal.hpp"
#include "aetos/simulation/early_end.hpp"
#include "aetos/simulation/plan.hpp"
#include "aetos/simulation/window.hpp"
#include "aetos/simulation/work_items.hpp"

/// Probes on whole cells (`window: full`) that are too large for a rank: a group of ranks shares each wave.
namespace aetos::simulation {

/// How many of `available` ranks share each probe: multislice.ranks_per_wave, else 1 up to 8192 x 8192
/// pixels, and above the smallest power of two that keeps a rank below 1 GiB. Always 1 for windows.
std::size_t ranks_of_full_window(const Request& request, const Window& window, const Plan& plan,
                                 std::size_t available);

/// What each rank holds then.
double full_by_groups_bytes(const Plan& plan, const Window& window, std::size_t ranks);

/// Simulates the items, dealt to groups of `ranks_per_wave` ranks in turn, probe by probe, and journals them.
/// Potentials are built anew for every probe. Returns the wave-slices of this rank's group (on its first
/// rank, 0 on others), and whether it ended early. Collective over the context. Throws InputError for finite
/// slices and pixelated detectors.
std::pair<std::uint64_t, bool> simulate_full_by_groups(const RunContext& context, const Request& request,
                                                       const Plan& plan, const Window& window,
                                                       std::size_t ranks_per_wave,
                                                       const std::vector<WorkItem>& items, Journal& journal,
                                                       EarlyEnd& end);

}  // namespace aetos::simulation
