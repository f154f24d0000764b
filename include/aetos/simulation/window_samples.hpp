#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/stop.hpp"
#include "aetos/simulation/window.hpp"

/// Sample probes that measure what a window costs in accuracy.
namespace aetos::simulation {

/// Up to 4 x 4 probes of a tile, evenly spread, its corners among them.
std::vector<Vec2> spread_probes(const ScanGrid& scan, const Tile& tile);

struct SampleGroup {
  std::size_t tilt = 0;
  std::vector<Vec2> probes;  ///< of one area of 5.5 Å
};

struct Samples {
  std::vector<SampleGroup> groups;
  std::size_t probe_count() const;
};

inline constexpr std::size_t kMostSampleGroups = 32, kProbesPerAxis = 4,
                             kMostProbesOfGroup = kProbesPerAxis * kProbesPerAxis;

/// Up to `groups` groups of up to 16 probes, spread over areas that hold atoms, at tilts drawn by the key
/// (seed, window_sample, trial).
Samples draw_samples(const Request& request, const Plan& plan, std::size_t groups = kMostSampleGroups);

/// Signals of all sample probes in one configuration (group by group, probe, channel), the same on every
/// rank. The groups are dealt to the ranks. Adds this rank's wave-slices to `spent`. Throws Interrupted on
/// all ranks at a stop request. Collective.
std::vector<float> sample_signals(const Communicator& comm, const Stop& stop, const Request& request,
                                  const Plan& plan, const Window& window, const Samples& samples,
                                  std::uint64_t& spent, std::size_t configuration = 0);
/// What a rank holds at most meanwhile, in bytes (memory_per_rank_bytes).
double sample_bytes(const Request& request, Plan plan, const Window& window);

/// A relative RMS error with its own standard error.
struct SampleError {
  double value = 0, uncertainty = 0;
  double upper() const { return value + 1.5 * uncertainty; }
};

/// Relative RMS difference of two sets of signals, by detector (all rings of a radial one and both components
/// of a centre of mass together). The standard error is the jackknife's over the groups (Efron and Stein
/// 1981); of few groups, 40 % of the error.
std::vector<SampleError> sample_errors(const Plan& plan, const Samples& samples,
                                       const std::vector<float>& signals, const std::vector<float>& truth);
/// The largest of them.
SampleError sample_error(const Plan& plan, const Samples& samples, const std::vector<float>& signals,
                         const std::vector<float>& truth);

}  // namespace aetos::simulation
