#include "aetos/simulation/plane_wave.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/processor_time.hpp"
#include "aetos/simulation/memory.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/series_metadata.hpp"
#include "aetos/simulation/signals.hpp"
#include "aetos/simulation/wave_group.hpp"
#include "plane_wave_work.hpp"

namespace aetos::simulation {
namespace {

constexpr std::size_t kTrial_px = 1024;

/// Processor time of one slice and of one image in one focus.
struct WaveRates {
  double slice_s = 0, image_s = 0;
};

/// From a piece of the cell with an atom of each element in two slices, on this machine.
WaveRates rates_of_trial(const PlaneWavePlan& wave) {
  auto grid = wave.grid();
  const auto operations = [](const multislice::FftGrid& g) {
    const auto pixels = static_cast<double>(g.size());
    return pixels * std::log2(pixels);
  };
  const double all = operations(grid);
  grid.nx = std::min(grid.nx, kTrial_px);
  grid.ny = std::min(grid.ny, kTrial_px);
  multislice::BeamAtoms atoms;
  const auto& numbers = wave.request.specimen.atomic_number;
  for (const std::uint8_t z : std::set<std::uint8_t>(numbers.begin(), numbers.end()))
    for (const double depth : {0.5, 1.5}) {
      atoms.atomic_number.push_back(z);
      atoms.position.emplace_back(0, 0, depth * wave.request.multislice.slice_A);
      atoms.weight.push_back(1);
    }
  const Communicator alone(MPI_COMM_SELF);
  WaveGroup beam(alone, wave.request.microscope, wave.request.multislice.parametrization, grid, Vec2(0, 0),
                 1);
  const multislice::SliceGrid slices{wave.request.multislice.slice_A, 0, 2};
  beam.place_atoms(atoms, slices);
  beam.pass_plane_wave();  // tables are made once
  double start = thread_seconds();
  beam.pass_plane_wave();
  WaveRates rates;
  rates.slice_s = (thread_seconds() - start) / 2 * all / operations(grid);
  Array<float, 2> image({grid.ny, grid.nx});
  start = thread_seconds();
  beam.add_image(0, wave.request.microscope.convergence_mrad, {{0, 1}}, 0, image);
  rates.image_s = (thread_seconds() - start) * all / operations(grid);
  return rates;
}

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

BytesWritten bytes_written(const PlaneWavePlan& wave) {
  const Plan& plan = wave.plan;
  const auto tilts = static_cast<double>(plan.rotation.size()),
             images = static_cast<double>(plan.imaging.size());
  const double per_image = static_cast<double>(plan.scan.probes()) * sizeof(float),
               per_pattern = static_cast<double>(pattern_values(wave)) * sizeof(float);
  const double names = 1 + (wave.request.microscope.source_fwhm_A > 0) + (plan.electrons_per_pixel ? 1 : 0);
  return {.journal =
              tilts * static_cast<double>(plan.configurations()) * (per_image * (images + 1) + per_pattern),
          .images = tilts * images * names * per_image,
          .patterns = tilts * per_pattern};
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
  const WaveRates rates = rates_of_trial(wave);
  const double images = static_cast<double>(plan.focal_series.size() * plan.imaging.size());
  e.core_seconds = waves * (static_cast<double>(e.slices) * rates.slice_s + images * rates.image_s);
  e.memory_per_rank_MiB = plane_wave_bytes(wave, group) / 1048576;
  e.bytes_written = bytes_written(wave).all();
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
  context.comm.agree([&] {
    if (context.comm.is_root()) io::require_space(context, bytes_written(wave).space(file));
  });
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
  const auto losses = write_series(context, wave.request, plan, window, std::nullopt, finished, file);
  if (!wave.patterns.empty())
    write_patterns(context, wave, series_info(wave.request, plan, window, std::nullopt, signals), finished,
                   file.parent_path() / kDiffractionFile);
  auto result = summary(wave, group_ranks);
  result["band_limit_loss"] = to_json(losses);
  const std::int64_t mine = group.is_root() ? static_cast<std::int64_t>(wave_slices) : 0;
  result["probe_slices"] = context.comm.sum(mine);
  return result;
}

}  // namespace aetos::simulation
