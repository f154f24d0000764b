#include "aetos/simulation/simulate.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/program_memory.hpp"
#include "aetos/core/progress.hpp"
#include "aetos/io/disk_space.hpp"
#include "aetos/parallel/journal.hpp"
#include "aetos/parallel/partition.hpp"
#include "aetos/simulation/diffraction.hpp"
#include "aetos/simulation/early_end.hpp"
#include "aetos/simulation/error_budget.hpp"
#include "aetos/simulation/full_by_groups.hpp"
#include "aetos/simulation/memory.hpp"
#include "aetos/simulation/plane_wave.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/tile_worker.hpp"
#include "aetos/simulation/window.hpp"
#include "aetos/simulation/window_warnings.hpp"
#include "aetos/simulation/work_items.hpp"

namespace aetos::simulation {
namespace {

using Finished = std::map<Journal::Key, Journal::Place>;

/// The items still to be done, what each costs, and how much of the whole is behind us.
struct Remaining {
  std::vector<WorkItem> items;
  std::vector<double> cost;
  double cost_done = 0, cost_total = 0;
};

/// The cost of every tile at every tilt, (tilt, tile). A tilt is weighed by one rank: for large particles
/// that takes seconds, as long as all the rest on thousands of ranks.
std::vector<double> costs_of_tiles(const Communicator& comm, const Request& request, const Plan& plan,
                                   const Window& window) {
  std::vector<double> mine;
  comm.agree([&] {
    const Range tilts = block_partition(request.tilts.size(), static_cast<std::size_t>(comm.size()),
                                        static_cast<std::size_t>(comm.rank()));
    for (std::size_t tilt = tilts.begin; tilt < tilts.end; ++tilt)
      for (const auto& work : tile_work(request, plan, window, tilt)) mine.push_back(work.cost);
  });
  return comm.all_gather(std::span<const double>(mine));
}

Remaining remaining_work(const Plan& plan, const std::vector<double>& costs, const Finished& finished) {
  Remaining left;
  for (const auto& item : all_items(plan)) {
    const double cost = costs[item.tilt * plan.tiles.size() + item.tile];
    left.cost_total += cost;
    if (finished.count(key_of(item))) {
      left.cost_done += cost;
      continue;
    }
    left.items.push_back(item);
    left.cost.push_back(cost);
  }
  return left;
}

/// What this rank did.
struct Done {
  std::uint64_t wave_slices = 0, vacuum_probes = 0;
  double potential_s = 0, waves_s = 0;
  bool stopped_early = false;
};

/// This rank's share of the remaining items, each journalled when it is finished. Talks to nobody.
Done work_through(const RunContext& context, const Request& request, const Plan& plan, const Window& window,
                  const Remaining& left, Journal& journal, EarlyEnd& end) {
  const auto parts = weighted_partition(left.cost, static_cast<std::size_t>(context.comm.size()));
  const auto& mine = parts[static_cast<std::size_t>(context.comm.rank())];
  Done done;
  if (mine.empty()) return done;
  double my_total = 0, my_done = 0;
  for (std::size_t i : mine) my_total += left.cost[i];

  TileWorker worker(request, plan, engine_settings(request, plan, window.px, window.whole), true);
  // Counted in probes of the whole run, as far as this rank's share of the cost tells.
  const double all_probes =
      static_cast<double>(request.tilts.size() * plan.configurations() * plan.scan.probes());
  const double share_done = left.cost_done / left.cost_total;
  Progress progress("probes", all_probes, share_done * all_probes);
  for (std::size_t i : mine) {
    if (end.is_due()) {
      done.stopped_early = true;
      break;
    }
    fault::point("simulate-item");
    const WorkItem& item = left.items[i];
    const auto probes = tile_probes(plan.scan, plan.tiles[item.tile]);
    Array<float, 2> out({probes.size(), item_channels(plan, item.tilt)});
    const auto cost = worker.simulate(item.tilt, item.configuration, probes, out);
    journal.append(key_of(item), std::as_bytes(out.flat()));
    done.wave_slices += cost.wave_slices;
    done.vacuum_probes += cost.vacuum_probes;
    done.potential_s += cost.potential_s;
    done.waves_s += cost.waves_s;
    my_done += left.cost[i];
    progress.update((share_done + (1 - share_done) * my_done / my_total) * all_probes);
  }
  journal.flush();
  progress.finish();
  return done;
}

void end_if_stopped(const RunContext& context, const Done& done) {
  if (!context.comm.any(done.stopped_early)) return;
  throw Interrupted(fmt::format("simulation stopped by {}", context.stop.reason()));
}

/// Patterns are large, and their keys make them smaller.
void refuse_patterns_beyond_disk(const RunContext& context, const Plan& plan, const io::SpaceNeeded& needed) {
  if (plan.cameras.empty()) return;
  if (const auto shortage = io::shortage_of_space(context, needed))
    throw InputError(
        "detectors", fmt::format("patterns and images of {:.0f} MB", shortage->needed / 1e6),
        fmt::format("at most the {:.0f} MB that are free; read fewer tilts, a smaller outer_mrad "
                    "or a larger step_mrad",
                    shortage->free / 1e6));
}

nlohmann::json number_or_null(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

std::optional<ErrorBudget> error_budget(const RunContext& context, const Request& request, const Plan& plan,
                                        const Window& window) {
  std::string why_not;
  auto budget = measure_error_budget(context.comm, context.stop, request, plan, window, why_not);
  if (budget)
    log::info("{}", describe(*budget));
  else
    log::info("no error budget: {}", why_not);
  return budget;
}

nlohmann::json summary(const Request& request, const Plan& plan, const Window& window,
                       const std::optional<ErrorBudget>& budget) {
  nlohmann::json j;
  j["tilts"] = request.tilts.size();
  j["phonons"] = plan.configurations();
  j["probes"] = plan.scan.probes();
  j["slices"] = plan.slice_count();
  j["image_px"] = {plan.scan.ny, plan.scan.nx};
  j["pixel_A"] = plan.scan.pixel_A;
  j["atoms"] = plan.sites.atom.size();
  if (window.px[0] == window.px[1])
    j["window_px"] = window.px[0];
  else
    j["window_px"] = window.px;
  j["window_error_estimate"] = number_or_null(window.error_estimate);
  j["error_budget"] = budget ? to_json(*budget) : nlohmann::json(nullptr);
  j["sampling_A"] = {plan.grid.sampling_y_A, plan.grid.sampling_x_A};
  j["angle_limit_mrad"] = plan.angle_limit_mrad;
  for (std::size_t d = 0; d < request.detectors.size(); ++d)
    j["covered_share"][request.detectors[d].name] = plan.detectors.covered_share[d];
  j["electrons_per_pixel"] = number_or_null(plan.electrons_per_pixel);
  return j;
}

}  // namespace

nlohmann::json simulate(const RunContext& context, const Request& request,
                        const std::filesystem::path& file) {
  if (request.multislice.mode == multislice::Mode::plane_wave)
    return simulate_plane_wave(context, request, file);
  Plan plan = make_plan(request);
  (void)signals_of(plan);  // names that files cannot hold are refused here
  for (const auto& warning : plan.warnings) log::warn("{}", warning);
  log::info("simulating {} tilts x {} configurations, {} x {} pixels of {} Å, {} atoms, {}",
            request.tilts.size(), plan.configurations(), plan.scan.ny, plan.scan.nx, plan.scan.pixel_A,
            plan.sites.atom.size(), atoms::describe(plan.thermal, request.specimen));
  context.comm.agree([&] {
    if (!context.comm.is_root()) return;
    const auto needed = bytes_written(request, plan).space(file);
    refuse_patterns_beyond_disk(context, plan, needed);
    io::require_space(context, needed);
  });
  const Window window = choose_window(context.comm, context.stop, request, plan);
  cut_into_tiles(plan, window.whole);
  log::info("{}", window.reason);
  for (const auto& warning : window_warnings(request, plan, window)) log::warn("{}", warning);
  const auto budget = error_budget(context, request, plan, window);
  return_freed_memory();

  const std::size_t sharing =
      ranks_of_full_window(request, window, plan, static_cast<std::size_t>(context.comm.size()));
  if (sharing > 1) log::info("{} ranks share each probe of {} x {} px", sharing, window.px[0], window.px[1]);

  Done done;
  EarlyEnd end(context);
  {
    // One look at the journal for all ranks, before any of them adds to it: they share out what is left by
    // it.
    const auto before = Journal::scan(context.comm, context.work, context.fingerprint);
    const auto costs = costs_of_tiles(context.comm, request, plan, window);
    Journal journal(context.comm, context.work, context.fingerprint, context.checkpoint_interval_s);
    context.comm.agree([&] {
      const EarlyEnd::OnFailure others_end_too(end);
      const Remaining left = remaining_work(plan, costs, before);
      if (!before.empty())
        log::info("{} of {} work items were done before", before.size(), before.size() + left.items.size());
      if (left.items.size() < static_cast<std::size_t>(context.comm.size()))
        log::info("{} ranks for {} work items: some stay idle", context.comm.size(), left.items.size());
      if (sharing == 1) done = work_through(context, request, plan, window, left, journal, end);
      if (sharing > 1)
        std::tie(done.wave_slices, done.stopped_early) =
            simulate_full_by_groups(context, request, plan, window, sharing, left.items, journal, end);
      journal.flush();
    });
  }
  end_if_stopped(context, done);
  context.comm.barrier();

  const Finished finished = Journal::scan(context.comm, context.work, context.fingerprint);
  const auto losses = write_series(context, request, plan, window, budget, finished, file);
  if (!plan.cameras.empty())
    write_diffraction(context, request, plan, window, budget, finished,
                      file.parent_path() / kDiffractionFile);

  auto result = summary(request, plan, window, budget);
  result["band_limit_loss"] = to_json(losses);
  const std::uint64_t on_samples = window.wave_slices + (budget ? budget->wave_slices : 0);
  result["probe_slices"] = context.comm.sum(static_cast<std::int64_t>(done.wave_slices + on_samples));
  result["vacuum_probes"] = context.comm.sum(static_cast<std::int64_t>(done.vacuum_probes));
  result["potential_s"] = context.comm.max(done.potential_s);
  result["waves_s"] = context.comm.max(done.waves_s);
  return result;
}

}  // namespace aetos::simulation
