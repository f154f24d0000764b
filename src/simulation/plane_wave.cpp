#include "aetos/simulation/plane_wave.hpp"

#include <fmt/format.h>

#include <tuple>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/simulation/rates.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/series_metadata.hpp"
#include "aetos/simulation/signals.hpp"
#include "plane_wave_work.hpp"

namespace aetos::simulation {
namespace {

/// Transforms of a wave and slice over the two of a probe's: the transmission function is limited anew for
/// each slice. FFTW's, with its transposes, takes about twice the time of the probes' own.
constexpr double kTransformsOfProbe = 4;

Window whole_cell(const PlaneWavePlan& wave) {
  Window window;
  window.px = {wave.plan.grid.cell_y_px, wave.plan.grid.cell_x_px};
  window.whole = true;
  window.error_estimate = 0;
  return window;
}

nlohmann::json summary(const PlaneWavePlan& wave, std::size_t ranks_of_group) {
  const Plan& plan = wave.plan;
  nlohmann::json j;
  j["mode"] = "plane_wave";
  j["tilts"] = plan.rotation.size();
  j["phonons"] = plan.configurations();
  j["probes"] = 1;
  j["slices"] = plan.slice_count();
  j["image_px"] = {plan.scan.ny, plan.scan.nx};
  j["pixel_A"] = plan.scan.pixel_A;
  j["atoms"] = plan.sites.atom.size();
  j["window_px"] = {plan.grid.cell_y_px, plan.grid.cell_x_px};
  j["window_error_estimate"] = nullptr;
  j["error_budget"] = nullptr;
  j["sampling_A"] = {plan.grid.sampling_y_A, plan.grid.sampling_x_A};
  j["angle_limit_mrad"] = plan.angle_limit_mrad;
  j["ranks_per_wave"] = ranks_of_group;
  j["electrons_per_pixel"] =
      plan.electrons_per_pixel ? nlohmann::json(*plan.electrons_per_pixel) : nlohmann::json(nullptr);
  return j;
}

}  // namespace

Estimate estimate_plane_wave(const Request& request, int ranks) {
  const PlaneWavePlan wave = make_plane_wave_plan(request);
  const Plan& plan = wave.plan;
  const std::size_t group = group_size(wave, static_cast<std::size_t>(ranks));
  Estimate e;
  e.tilts = plan.rotation.size();
  e.phonons = plan.configurations();
  e.probes = 1;
  e.slices = plan.slice_count();
  e.image_ny = plan.scan.ny;
  e.image_nx = plan.scan.nx;
  e.window_px = {plan.grid.cell_y_px, plan.grid.cell_x_px};
  const double waves = static_cast<double>(e.tilts * e.phonons);
  const Rates rates = rates_of_transforms(whole_cell(wave));
  const double slices = static_cast<double>(e.slices);
  const double images = static_cast<double>(plan.focal_series.size() * plan.imaging.size());
  e.core_seconds = waves * (slices * (kTransformsOfProbe * rates.wave_slice_s + rates.slice_s) +
                            images * rates.wave_slice_s);
  e.memory_per_rank_MiB = plane_wave_bytes(wave, group) / 1048576;
  const double per_image = static_cast<double>(plan.scan.probes()) * sizeof(float);
  const double names = 1 + (request.microscope.source_fwhm_A > 0) + (plan.electrons_per_pixel ? 1 : 0);
  e.bytes_written = waves * (per_image * static_cast<double>(plan.imaging.size() + 1) +
                             static_cast<double>(pattern_values(wave)) * sizeof(float)) +
                    static_cast<double>(e.tilts * plan.imaging.size()) * names * per_image;
  e.angle_limit_mrad = plan.angle_limit_mrad;
  e.warnings = plan.warnings;
  if (group < wave.ranks_per_wave)
    e.warnings.push_back(fmt::format("{} ranks should share a wave of {} x {} pixels, but there are {}",
                                     wave.ranks_per_wave, plan.grid.cell_y_px, plan.grid.cell_x_px, ranks));
  e.notes.push_back(atoms::describe(plan.thermal, request.specimen));
  e.notes.push_back(fmt::format("{} rank(s) share a wave of {} x {} pixels", group, plan.grid.cell_y_px,
                                plan.grid.cell_x_px));
  return e;
}

nlohmann::json simulate_plane_wave(const RunContext& context, const Request& request,
                                   const std::filesystem::path& file) {
  const PlaneWavePlan wave = make_plane_wave_plan(request);
  const Plan& plan = wave.plan;
  const auto signals = signals_of(plan);
  for (const auto& warning : plan.warnings) log::warn("{}", warning);
  const std::size_t group_ranks = group_size(wave, static_cast<std::size_t>(context.comm.size()));
  const std::size_t groups = static_cast<std::size_t>(context.comm.size()) / group_ranks;
  log::info(
      "plane waves: {} tilts x {} configurations, {} atoms, cell of {} x {} px, images of {} x {} pixels of "
      "{:.4g} Å, "
      "{} rank(s) to a wave",
      plan.rotation.size(), plan.configurations(), plan.sites.atom.size(), plan.grid.cell_y_px,
      plan.grid.cell_x_px, plan.scan.ny, plan.scan.nx, plan.scan.pixel_A, group_ranks);
  const std::size_t index = static_cast<std::size_t>(context.comm.rank()) / group_ranks;
  const Communicator group = context.comm.split(static_cast<int>(index));
  EarlyEnd end(context);
  std::uint64_t wave_slices = 0;
  bool stopped = false;
  {
    const auto before = Journal::scan(context.comm, context.work, context.fingerprint);
    Journal journal(context.comm, context.work, context.fingerprint, context.checkpoint_interval_s);
    context.comm.agree([&] {
      const EarlyEnd::OnFailure others_end_too(end);
      if (index < groups)
        std::tie(wave_slices, stopped) = simulate_waves(group, wave, index, groups, before, journal, end);
      journal.flush();
    });
  }
  if (context.comm.any(stopped))
    throw Interrupted(fmt::format("simulation stopped by {}", context.stop.reason()));
  context.comm.barrier();

  const Finished finished = Journal::scan(context.comm, context.work, context.fingerprint);
  const Window window = whole_cell(wave);
  write_series(context, wave.request, plan, window, std::nullopt, finished, file);
  if (!wave.patterns.empty())
    write_patterns(context, wave, series_info(wave.request, plan, window, std::nullopt, signals), finished,
                   file.parent_path() / kDiffractionFile);
  auto result = summary(wave, group_ranks);
  const std::int64_t mine = group.is_root() ? static_cast<std::int64_t>(wave_slices) : 0;
  result["probe_slices"] = context.comm.sum(mine);
  return result;
}

}  // namespace aetos::simulation
