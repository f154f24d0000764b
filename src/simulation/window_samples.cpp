#include "aetos/simulation/window_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/memory.hpp"
#include "aetos/simulation/tile_worker.hpp"

namespace aetos::simulation {
namespace {

constexpr std::size_t kTrials = 5000, kFewGroups = 6;
constexpr double kUncertaintyOfFew = 0.4;
constexpr double kSignalReach_A = 0.5;
/// Whatever tiles the run is cut into; neighbouring probes share a potential.
constexpr double kGroupSide_A = 5.5;

/// Up to kProbesPerAxis indices of begin..end, evenly spread, both ends among them.
std::set<std::size_t> spread(std::size_t begin, std::size_t end) {
  std::set<std::size_t> chosen;
  for (std::size_t i = 0; i < kProbesPerAxis; ++i)
    chosen.insert(begin + i * (end - 1 - begin) / (kProbesPerAxis - 1));
  return chosen;
}

/// Channels of the engine that belong to detector d: [first, last).
std::pair<std::size_t, std::size_t> channels_of(const multislice::ChannelLayout& layout, std::size_t d) {
  const bool is_last = d + 1 == layout.first_of_detector.size();
  return {layout.first_of_detector[d], is_last ? layout.count - 1 : layout.first_of_detector[d + 1]};
}

}  // namespace

std::vector<Vec2> spread_probes(const ScanGrid& scan, const Tile& tile) {
  std::vector<Vec2> probes;
  for (std::size_t y : spread(tile.y_begin, tile.y_end))
    for (std::size_t x : spread(tile.x_begin, tile.x_end)) probes.push_back(scan.probe(y, x));
  return probes;
}

std::size_t Samples::probe_count() const {
  std::size_t n = 0;
  for (const auto& g : groups) n += g.probes.size();
  return n;
}

Samples draw_samples(const Request& request, const Plan& plan, std::size_t groups) {
  Samples samples;
  std::set<std::pair<std::size_t, std::size_t>> taken;
  std::map<std::size_t, AtomFinder> at_tilt;
  const Vec2 period(static_cast<double>(plan.grid.cell_x_px) * plan.grid.sampling_x_A,
                    static_cast<double>(plan.grid.cell_y_px) * plan.grid.sampling_y_A);
  // A few dozen tilts are enough to look at, however long the series is.
  const std::size_t tilt_choices = std::min<std::size_t>(request.tilts.size(), kMostSampleGroups);
  const auto areas = make_tiles(plan.scan, kGroupSide_A);
  for (std::size_t trial = 0; trial < kTrials && samples.groups.size() < groups; ++trial) {
    const auto word = random::words(request.seed, random::Domain::window_sample, {0, 0, trial});
    const std::size_t tilt = word[0] % tilt_choices * request.tilts.size() / tilt_choices;
    const std::size_t area = word[1] % areas.size();
    if (taken.count({tilt, area})) continue;
    if (!at_tilt.count(tilt))
      at_tilt.emplace(tilt, AtomFinder(beam_atoms_at_rest(request, plan, tilt), period));
    auto probes = spread_probes(plan.scan, areas[area]);
    if (at_tilt.at(tilt).near(probes, kSignalReach_A).size() == 0) continue;
    taken.insert({tilt, area});
    samples.groups.push_back({tilt, std::move(probes)});
  }
  return samples;
}

std::vector<float> sample_signals(const Communicator& comm, const Stop& stop, const Request& request,
                                  const Plan& plan, const Window& window, const Samples& samples,
                                  std::uint64_t& spent, std::size_t configuration) {
  std::vector<float> mine;
  std::size_t channels = 0;
  const auto ranks = static_cast<std::size_t>(comm.size()), rank = static_cast<std::size_t>(comm.rank());
  comm.agree([&] {
    TileWorker worker(request, plan, engine_settings(request, plan, window.px, window.whole));
    channels = worker.engine().channels().count;
    for (std::size_t g = rank; g < samples.groups.size(); g += ranks) {
      if (stop.requested()) break;
      const auto& group = samples.groups[g];
      Array<float, 2> out({group.probes.size(), channels});
      spent += worker.simulate(group.tilt, configuration, group.probes, out).wave_slices;
      mine.insert(mine.end(), out.begin(), out.end());
    }
  });
  if (stop.agreed(comm)) throw Interrupted(fmt::format("simulation stopped by {}", stop.reason()));
  const auto gathered = comm.all_gather(std::span<const float>(mine));

  // Joined rank by rank; put back into the order of the groups.
  std::vector<std::size_t> start;
  std::size_t total = 0;
  for (const auto& group : samples.groups) {
    start.push_back(total);
    total += group.probes.size() * channels;
  }
  std::vector<float> signals(total);
  auto next = gathered.begin();
  for (std::size_t r = 0; r < ranks; ++r)
    for (std::size_t g = r; g < samples.groups.size(); g += ranks) {
      const auto length = static_cast<std::ptrdiff_t>(samples.groups[g].probes.size() * channels);
      std::copy(next, next + length, signals.begin() + static_cast<std::ptrdiff_t>(start[g]));
      next += length;
    }
  return signals;
}

double sample_bytes(const Request& request, Plan plan, const Window& window) {
  plan.tiles = make_tiles(plan.scan, kGroupSide_A);
  return memory_per_rank_bytes(request, plan, window);
}

namespace {

/// Squared difference and squared signal of one detector, by group.
struct Sums {
  std::vector<double> difference, size;
};

double ratio(double difference, double size) {
  return size > 0 ? std::sqrt(difference / size) : 0;
}

SampleError error_of(const Sums& sums) {
  const std::size_t groups = sums.size.size();
  const double difference = std::accumulate(sums.difference.begin(), sums.difference.end(), 0.0);
  const double size = std::accumulate(sums.size.begin(), sums.size.end(), 0.0);
  SampleError error{ratio(difference, size), 0};
  error.uncertainty = kUncertaintyOfFew * error.value;
  if (groups < kFewGroups) return error;
  std::vector<double> without;
  for (std::size_t g = 0; g < groups; ++g)
    without.push_back(ratio(difference - sums.difference[g], size - sums.size[g]));
  const double mean = std::accumulate(without.begin(), without.end(), 0.0) / static_cast<double>(groups);
  double squares = 0;
  for (const double r : without) squares += (r - mean) * (r - mean);
  error.uncertainty = std::sqrt(squares * static_cast<double>(groups - 1) / static_cast<double>(groups));
  return error;
}

}  // namespace

std::vector<SampleError> sample_errors(const Plan& plan, const Samples& samples,
                                       const std::vector<float>& signals, const std::vector<float>& truth) {
  const auto layout = multislice::channel_layout(plan.imaging);
  std::vector<SampleError> errors;
  for (std::size_t d = 0; d < layout.first_of_detector.size(); ++d) {
    auto [first, last] = channels_of(layout, d);
    if (plan.imaging[d].kind == multislice::DetectorKind::com) last = first + 2;
    Sums sums;
    std::size_t probe = 0;
    for (const auto& group : samples.groups) {
      double difference = 0, size = 0;
      for (std::size_t p = 0; p < group.probes.size(); ++p, ++probe)
        for (std::size_t c = first; c < last; ++c) {
          const double t = truth[probe * layout.count + c], s = signals[probe * layout.count + c];
          difference += (s - t) * (s - t);
          size += t * t;
        }
      sums.difference.push_back(difference);
      sums.size.push_back(size);
    }
    errors.push_back(error_of(sums));
  }
  return errors;
}

SampleError sample_error(const Plan& plan, const Samples& samples, const std::vector<float>& signals,
                         const std::vector<float>& truth) {
  SampleError worst;
  for (const SampleError& error : sample_errors(plan, samples, signals, truth))
    if (error.upper() > worst.upper()) worst = error;
  return worst;
}

}  // namespace aetos::simulation
