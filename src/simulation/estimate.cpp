#include <fmt/format.h>

#include <algorithm>

#include "aetos/core/array.hpp"
#include "aetos/simulation/error_budget.hpp"
#include "aetos/simulation/full_by_groups.hpp"
#include "aetos/simulation/memory.hpp"
#include "aetos/simulation/plane_wave.hpp"
#include "aetos/simulation/rates.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/simulate.hpp"
#include "aetos/simulation/tile_worker.hpp"
#include "aetos/simulation/window.hpp"
#include "aetos/simulation/window_samples.hpp"
#include "aetos/simulation/window_warnings.hpp"
#include "aetos/simulation/work_items.hpp"

namespace aetos::simulation {
namespace {

/// Larger windows, and simulations that need more memory, are not tried: a check takes seconds.
constexpr std::size_t kLargestTrial_px = 768;
constexpr double kLargestTrial_bytes = 1024.0 * 1024 * 1024;

/// From a few probes of the tile with most work, at the middle tilt, on this machine.
Rates rates_of_trial(const Request& request, const Plan& plan, const Window& window) {
  const std::size_t tilt = request.tilts.size() / 2;
  const auto work = tile_work(request, plan, window, tilt);
  const auto most = std::max_element(work.begin(), work.end(),
                                     [](const auto& a, const auto& b) { return a.cost < b.cost; });
  if (most->slices == 0) return rates_of_transforms(window);
  const auto probes = spread_probes(plan.scan, plan.tiles[static_cast<std::size_t>(most - work.begin())]);
  TileWorker worker(request, plan, engine_settings(request, plan, window.px, window.whole));
  Array<float, 2> out({probes.size(), worker.engine().channels().count});
  worker.simulate(tilt, 0, probes, out);  // tables are made by the first tile of a run, once
  const auto cost = worker.simulate(tilt, 0, probes, out);
  if (cost.wave_slices == 0) return rates_of_transforms(window);
  return {cost.waves_s / static_cast<double>(cost.wave_slices), cost.potential_s / most->slices};
}

/// Processor time of the whole series, from a few of its tilts.
double total_seconds(const Request& request, const Plan& plan, const Window& window, const Rates& rates) {
  const std::size_t tilts = request.tilts.size(), looked_at = std::min<std::size_t>(tilts, 6);
  double seconds = 0;
  for (std::size_t i = 0; i < looked_at; ++i) {
    const std::size_t tilt = i * tilts / looked_at;
    seconds += rates.wave_slice_s * probe_wave_slices(request, plan, window, tilt);
    for (const auto& work : tile_work(request, plan, window, tilt)) seconds += rates.slice_s * work.slices;
  }
  return seconds / static_cast<double>(looked_at) * static_cast<double>(tilts * plan.configurations());
}

/// What comes before the images: sample probes on every window that is tried, and those of the error budget.
struct Preparation {
  double operations = 0;  ///< on all ranks together (tile_operations)
  double bytes = 0;       ///< that a rank holds at most
};

Preparation preparation(const Request& request, const Plan& plan, Window window) {
  const std::size_t groups = std::min(kMostSampleGroups, plan.rotation.size() * plan.tiles.size());
  Preparation p;
  for (const Window& tried : windows_tried(request, plan, window)) {
    p.operations += tile_operations(plan, tried, groups * kMostProbesOfGroup, groups);
    p.bytes = std::max(p.bytes, sample_bytes(request, plan, tried));
  }
  if (p.operations > 0) window.error_estimate = 0;  // the choice measures it, and the budget takes it over
  const PlannedBudget budget = plan_error_budget(request, plan, window);
  return {p.operations + budget.operations, std::max(p.bytes, budget.bytes)};
}

}  // namespace

Estimate estimate(const Request& request, int ranks) {
  if (request.multislice.mode == multislice::Mode::plane_wave) return estimate_plane_wave(request, ranks);
  Plan plan = make_plan(request);
  (void)signals_of(plan);  // names that files cannot hold are refused here
  const Window window = expected_window(request, plan);
  cut_into_tiles(plan, window.whole);
  const bool small = std::max(window.px[0], window.px[1]) <= kLargestTrial_px &&
                     memory_per_rank_bytes(request, plan, window) <= kLargestTrial_bytes;
  const Rates rates = small ? rates_of_trial(request, plan, window) : rates_of_transforms(window);

  Estimate e;
  e.tilts = request.tilts.size();
  e.phonons = plan.configurations();
  e.probes = plan.scan.probes();
  e.slices = plan.slice_count();
  e.image_ny = plan.scan.ny;
  e.image_nx = plan.scan.nx;
  e.window_px = window.px;
  const Preparation before = preparation(request, plan, window);
  e.core_seconds = total_seconds(request, plan, window, rates) +
                   before.operations * rates.wave_slice_s / window_operations(window);
  e.memory_per_rank_MiB =
      std::max(before.bytes, memory_per_rank_bytes(request, plan, window)) / (1024.0 * 1024.0);
  const std::size_t sharing = ranks_of_full_window(request, window, plan, static_cast<std::size_t>(ranks));
  if (sharing > 1) {
    e.memory_per_rank_MiB = full_by_groups_bytes(plan, window, sharing) / (1024.0 * 1024.0);
    e.warnings.push_back(
        fmt::format("{} ranks share each probe and build the potentials anew for it: several times the "
                    "core-hours said here",
                    sharing));
  }
  e.bytes_written = bytes_written(request, plan).all();
  e.angle_limit_mrad = plan.angle_limit_mrad;
  e.warnings.insert(e.warnings.end(), plan.warnings.begin(), plan.warnings.end());
  for (auto& warning : window_warnings(request, plan, window)) e.warnings.push_back(std::move(warning));
  e.notes.push_back(atoms::describe(plan.thermal, request.specimen));
  e.notes.push_back(
      fmt::format("{} of {} sites hold an atom", plan.sites.atom.size(), request.specimen.size()));
  if (std::holds_alternative<multislice::WindowTolerance>(request.multislice.window))
    e.notes.push_back(
        fmt::format("the run finds its own window; {} x {} px is assumed here", window.px[0], window.px[1]));
  e.notes.push_back(fmt::format("{:.3g} us per wave and slice of {} x {} px, from {} timed now",
                                1e6 * rates.wave_slice_s, window.px[0], window.px[1],
                                small ? "a few" : "a transform"));
  const std::size_t items = e.tilts * e.phonons * plan.tiles.size();
  if (static_cast<std::size_t>(ranks) > items)
    e.warnings.push_back(
        fmt::format("{} ranks, but only {} pieces of work: the others stay idle", ranks, items));
  return e;
}

}  // namespace aetos::simulation
