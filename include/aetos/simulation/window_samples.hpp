#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "aetos/parallel/communicator.hpp"
#include "aetos/simulation/window.hpp"

/// Sample probes that measure what a window costs in accuracy.
namespace aetos::simulation {

struct SampleGroup {
  std::size_t tilt = 0;
  std::vector<Vec2> probes;  ///< of one tile
  bool held_back = false;    ///< not used to choose the window, only to judge the choice
};

struct Samples {
  std::vector<SampleGroup> groups;
  std::size_t probe_count() const;
};

/// Up to 12 groups of up to four probes: corners of tiles that hold atoms, at tilts drawn by the key (seed,
/// window_sample, trial). Every third group is held back.
Samples draw_samples(const Request& request, const Plan& plan);

/// Signals of all sample probes (group by group, probe, channel), the same on every rank. The groups are
/// dealt to the ranks. Adds this rank's wave-slices to `spent`. Collective.
std::vector<float> sample_signals(const Communicator& comm, const Request& request, const Plan& plan,
                                  const Window& window, const Samples& samples, std::uint64_t& spent);

/// Relative RMS difference of two sets of signals, the largest over the detectors (all rings of a radial one
/// and both components of a centre of mass together): of the groups that choose, and of those held back.
std::pair<double, double> sample_errors(const Plan& plan, const Samples& samples,
                                        const std::vector<float>& signals, const std::vector<float>& truth);

}  // namespace aetos::simulation
