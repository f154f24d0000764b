#include "aetos/simulation/window_samples.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "aetos/core/random.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/tile_worker.hpp"

namespace aetos::simulation {
namespace {

constexpr std::size_t kGroups = 12, kTrials = 2000;
constexpr double kSignalReach_A = 0.5;

std::vector<Vec2> corner_probes(const ScanGrid& scan, const Tile& tile) {
  const std::set<std::size_t> ys{tile.y_begin, tile.y_end - 1}, xs{tile.x_begin, tile.x_end - 1};
  std::vector<Vec2> probes;
  for (std::size_t y : ys)
    for (std::size_t x : xs) probes.push_back(scan.probe(y, x));
  return probes;
}

/// Channels of the engine that belong to detector d: [first, last).
std::pair<std::size_t, std::size_t> channels_of(const multislice::ChannelLayout& layout, std::size_t d) {
  const bool is_last = d + 1 == layout.first_of_detector.size();
  return {layout.first_of_detector[d], is_last ? layout.count - 1 : layout.first_of_detector[d + 1]};
}

}  // namespace

std::size_t Samples::probe_count() const {
  std::size_t n = 0;
  for (const auto& g : groups) n += g.probes.size();
  return n;
}

Samples draw_samples(const Request& request, const Plan& plan) {
  Samples samples;
  std::set<std::pair<std::size_t, std::size_t>> taken;
  std::map<std::size_t, AtomFinder> at_tilt;
  const Vec2 period(static_cast<double>(plan.grid.cell_x_px) * plan.grid.sampling_x_A,
                    static_cast<double>(plan.grid.cell_y_px) * plan.grid.sampling_y_A);
  // A dozen tilts are enough to look at, however long the series is.
  const std::size_t tilt_choices = std::min<std::size_t>(request.tilts.size(), kGroups);
  for (std::size_t trial = 0; trial < kTrials && samples.groups.size() < kGroups; ++trial) {
    const auto word = random::words(request.seed, random::Domain::window_sample, {0, 0, trial});
    const std::size_t tilt = word[0] % tilt_choices * request.tilts.size() / tilt_choices;
    const std::size_t tile = word[1] % plan.tiles.size();
    if (taken.count({tilt, tile})) continue;
    if (!at_tilt.count(tilt))
      at_tilt.emplace(tilt, AtomFinder(beam_atoms_at_rest(request, plan, tilt), period));
    auto probes = corner_probes(plan.scan, plan.tiles[tile]);
    if (at_tilt.at(tilt).near(probes, kSignalReach_A).size() == 0) continue;
    taken.insert({tilt, tile});
    samples.groups.push_back({tilt, std::move(probes), samples.groups.size() % 3 == 2});
  }
  return samples;
}

std::vector<float> sample_signals(const Communicator& comm, const Request& request, const Plan& plan,
                                  const Window& window, const Samples& samples, std::uint64_t& spent) {
  std::vector<float> mine;
  std::size_t channels = 0;
  const auto ranks = static_cast<std::size_t>(comm.size()), rank = static_cast<std::size_t>(comm.rank());
  comm.agree([&] {
    TileWorker worker(request, plan, engine_settings(request, plan, window.px, window.whole));
    channels = worker.engine().channels().count;
    for (std::size_t g = rank; g < samples.groups.size(); g += ranks) {
      const auto& group = samples.groups[g];
      Array<float, 2> out({group.probes.size(), channels});
      spent += worker.simulate(group.tilt, 0, group.probes, out).wave_slices;
      mine.insert(mine.end(), out.begin(), out.end());
    }
  });
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

std::pair<double, double> sample_errors(const Plan& plan, const Samples& samples,
                                        const std::vector<float>& signals, const std::vector<float>& truth) {
  const auto layout = multislice::channel_layout(plan.imaging);
  std::pair<double, double> worst{0, 0};
  for (std::size_t d = 0; d < layout.first_of_detector.size(); ++d) {
    auto [first, last] = channels_of(layout, d);
    if (plan.imaging[d].kind == multislice::DetectorKind::com) last = first + 2;
    double difference[2] = {0, 0}, size[2] = {0, 0};
    std::size_t probe = 0;
    for (const auto& group : samples.groups) {
      for (std::size_t p = 0; p < group.probes.size(); ++p, ++probe) {
        for (std::size_t c = first; c < last; ++c) {
          const double t = truth[probe * layout.count + c], s = signals[probe * layout.count + c];
          difference[group.held_back] += (s - t) * (s - t);
          size[group.held_back] += t * t;
        }
      }
    }
    const auto ratio = [&](int which) {
      return size[which] > 0 ? std::sqrt(difference[which] / size[which]) : 0;
    };
    worst.first = std::max(worst.first, ratio(0));
    worst.second = std::max(worst.second, ratio(1));
  }
  return worst;
}

}  // namespace aetos::simulation
