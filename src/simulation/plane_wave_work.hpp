#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <utility>

#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/journal.hpp"
#include "aetos/simulation/early_end.hpp"
#include "aetos/simulation/plane_wave_plan.hpp"
#include "aetos/simulation/work_items.hpp"

/// What the driver of plane waves is made of: the work of its groups, and the patterns' file.
namespace aetos::simulation {

using Finished = std::map<Journal::Key, Journal::Place>;

/// Values of all patterns of one tilt and configuration, one camera behind the other.
std::size_t pattern_values(const PlaneWavePlan& wave);
/// The item that holds them, behind those of the images' strips.
WorkItem pattern_item(const PlaneWavePlan& wave, std::size_t tilt, std::size_t configuration);

/// The tilts and configurations that are left, dealt to `groups` in turn; `group` is number `index`. Returns
/// the wave-slices that it did, and whether it ended early.
std::pair<std::uint64_t, bool> simulate_waves(const Communicator& group, const PlaneWavePlan& wave,
                                              std::size_t index, std::size_t groups, const Finished& finished,
                                              Journal& journal, EarlyEnd& end);

/// Writes the mean patterns of every tilt where they are read, and noisy ones beside. Collective.
void write_patterns(const RunContext& context, const PlaneWavePlan& wave, const io::TiltSeriesInfo& info,
                    const Finished& finished, const std::filesystem::path& file);

}  // namespace aetos::simulation
