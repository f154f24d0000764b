#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <complex>

#include "aetos/core/array.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/simulation/memory.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/simulate.hpp"
#include "aetos/simulation/window.hpp"
#include "aetos/simulation/window_warnings.hpp"
#include "aetos/simulation/work_items.hpp"

namespace aetos::simulation {
namespace {

/// A wave-slice takes about this much of FFTW's bare pair of transforms of the same window (aetos-bench
/// wave_slice).
constexpr double kOfTransformPair = 0.85;
constexpr double kTrial_s = 0.03;

double operations(double ny, double nx) {
  return ny * nx * std::log2(ny * nx);
}

/// Seconds per wave-slice on this machine, from a transform pair timed here and now (at most 512² pixels;
/// larger ones are scaled by n² log n²).
double seconds_per_wave_slice(const Window& window) {
  const std::size_t ny = std::min<std::size_t>(window.px[0], 512),
                    nx = std::min<std::size_t>(window.px[1], 512);
  Array<std::complex<float>, 2> wave({ny, nx});
  auto* p = reinterpret_cast<fftwf_complex*>(wave.data());
  const auto plan = [&](int sign) {
    return fft::PlanF(
        fftwf_plan_dft_2d(static_cast<int>(ny), static_cast<int>(nx), p, p, sign, FFTW_ESTIMATE));
  };
  const auto forward = plan(FFTW_FORWARD), backward = plan(FFTW_BACKWARD);
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double elapsed = 0;
  int pairs = 0;
  do {
    fftwf_execute(forward.get());
    fftwf_execute(backward.get());
    ++pairs;
    elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  } while (elapsed < kTrial_s);
  const double scale = operations(static_cast<double>(window.px[0]), static_cast<double>(window.px[1])) /
                       operations(static_cast<double>(ny), static_cast<double>(nx));
  return kOfTransformPair * elapsed / pairs * scale;
}

/// Cost of the whole series in wave-slices, from a few of its tilts.
double total_cost(const Request& request, const Plan& plan, const Window& window) {
  const std::size_t tilts = request.tilts.size(), looked_at = std::min<std::size_t>(tilts, 6);
  double cost = 0;
  for (std::size_t i = 0; i < looked_at; ++i)
    for (const auto& work : tile_work(request, plan, window, i * tilts / looked_at)) cost += work.cost;
  return cost / static_cast<double>(looked_at) * static_cast<double>(tilts * plan.configurations());
}

}  // namespace

Estimate estimate(const Request& request, int ranks) {
  Plan plan = make_plan(request);
  (void)signals_of(plan);  // names that files cannot hold are refused here
  const Window window = expected_window(request, plan);
  plan.tiles = make_tiles(plan.scan, window.whole);
  const double rate = seconds_per_wave_slice(window);

  Estimate e;
  e.tilts = request.tilts.size();
  e.phonons = plan.configurations();
  e.probes = plan.scan.probes();
  e.slices = plan.slice_count();
  e.image_ny = plan.scan.ny;
  e.image_nx = plan.scan.nx;
  e.window_px = window.px;
  e.core_seconds = rate * total_cost(request, plan, window);
  e.memory_per_rank_MiB = memory_per_rank_bytes(request, plan, window) / (1024.0 * 1024.0);
  e.bytes_written = bytes_written(request, plan);
  e.angle_limit_mrad = plan.angle_limit_mrad;
  e.warnings = plan.warnings;
  for (auto& warning : window_warnings(request, plan, window)) e.warnings.push_back(std::move(warning));
  e.notes.push_back(atoms::describe(plan.thermal, request.specimen));
  e.notes.push_back(
      fmt::format("{} of {} sites hold an atom", plan.sites.atom.size(), request.specimen.size()));
  if (std::holds_alternative<multislice::WindowTolerance>(request.multislice.window))
    e.notes.push_back(
        fmt::format("the run finds its own window; {} x {} px is assumed here", window.px[0], window.px[1]));
  e.notes.push_back(fmt::format("{:.3g} us per wave and slice of {} x {} px, from a transform timed now",
                                1e6 * rate, window.px[0], window.px[1]));
  const std::size_t items = e.tilts * e.phonons * plan.tiles.size();
  if (static_cast<std::size_t>(ranks) > items)
    e.warnings.push_back(
        fmt::format("{} ranks, but only {} pieces of work: the others stay idle", ranks, items));
  return e;
}

}  // namespace aetos::simulation
