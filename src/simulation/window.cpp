#include "aetos/simulation/window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/simulation/window_samples.hpp"

namespace aetos::simulation {
namespace {

/// Windows are whole numbers of this many pixels, so that rows stay aligned for vector instructions.
constexpr std::size_t kGranularity_px = 16;
constexpr double kSmallestWindow_A = 4.8;
constexpr double kReferenceWindow_A = 38.4;
std::size_t axis_px(double width_A, double sampling_A, std::size_t period_px) {
  const auto wanted = static_cast<std::size_t>(std::ceil(width_A / sampling_A - 1e-6));
  const std::size_t px = fft::fast_size(std::max<std::size_t>(wanted, 1), kGranularity_px);
  return period_px == 0 ? px : std::min(px, period_px);
}

std::string size_words(const Plan& plan, const Window& window) {
  return fmt::format("{} x {} px ({:.1f} Å)", window.px[0], window.px[1], window_width_A(plan, window));
}

bool holds(const Window& outer, const Window& inner) {
  return outer.px[0] >= inner.px[0] && outer.px[1] >= inner.px[1];
}

/// What the errors of smaller windows are measured against.
Window reference_window(const Request& request, const Plan& plan) {
  const double resolved = narrowest_window_A(request.microscope.convergence_mrad, plan.wavelength_A);
  const Window reference = window_of_width(
      plan, std::max({kReferenceWindow_A, 2.5 * resolved, 2 * plan.probe_radius_A + kReferenceWindow_A}));
  const Window full = full_window(plan);
  return holds(reference, full) ? full : reference;
}

/// Windows from the smallest sensible one up to below the reference, each at least 10 % wider than the one
/// before.
std::vector<Window> candidates(const Request& request, const Plan& plan, const Window& reference) {
  std::vector<Window> list;
  for (double width = std::max(kSmallestWindow_A, narrowest_window_A(request, plan));;) {
    const Window next = window_of_width(plan, width);
    if (holds(next, reference)) return list;
    list.push_back(next);
    width = std::max(window_width_A(plan, next) * 1.1, width * 1.1);
  }
}

/// What windows of the demo's particle (40 Å deep) and of `zr1-like` (100 Å) came to at 30 mrad, tolerances
/// 0.002 to 0.02.
double usual_window_A(const Plan& plan, double tolerance) {
  double depth_A = 0;
  for (const auto& slices : plan.slices)
    depth_A = std::max(depth_A, static_cast<double>(slices.count) * slices.thickness_A);
  return std::max(kSmallestWindow_A, (3.4 + 0.058 * depth_A) * std::pow(0.005 / tolerance, 0.59));
}

Window window_by_tolerance(const Communicator& comm, const Stop& stop, const Request& request,
                           const Plan& plan, double tolerance) {
  Window reference = reference_window(request, plan);
  const auto list = candidates(request, plan, reference);
  const auto samples = draw_samples(request, plan);
  std::uint64_t spent = 0;
  const auto truth = sample_signals(comm, stop, request, plan, reference, samples, spent);
  double last_error = 0;
  for (Window window : list) {
    const auto signals = sample_signals(comm, stop, request, plan, window, samples, spent);
    const SampleError error = sample_error(plan, samples, signals, truth);
    last_error = error.upper() * reference_factor(window_width_A(plan, window),
                                                  window_width_A(plan, reference), reference.whole);
    if (last_error > tolerance) continue;
    window.error_estimate = last_error;
    window.wave_slices = spent;
    window.reason = fmt::format(
        "window {}: estimated error {:.2e}, tolerance {:.2e} (against {} on {} sample probes: {:.2e} +- "
        "{:.1e})",
        size_words(plan, window), last_error, tolerance, size_words(plan, reference), samples.probe_count(),
        error.value, error.uncertainty);
    return window;
  }
  reference.error_estimate = reference.whole ? 0 : last_error;
  reference.wave_slices = spent;
  reference.reason =
      fmt::format("window {}: no smaller one held the tolerance {:.2e} (the next smaller: {:.2e})",
                  size_words(plan, reference), tolerance, last_error);
  return reference;
}

}  // namespace

double reference_factor(double width_A, double reference_A, bool reference_is_whole) {
  return reference_is_whole ? 1 : 1 / (1 - std::pow(width_A / reference_A, 2));
}

double window_width_A(const Plan& plan, const Window& window) {
  return std::min(static_cast<double>(window.px[0]) * plan.grid.sampling_y_A,
                  static_cast<double>(window.px[1]) * plan.grid.sampling_x_A);
}

Window full_window(const Plan& plan) {
  Window window;
  window.whole = true;
  window.error_estimate = 0;
  const auto axis = [](double side_A, double sampling_A, std::size_t period_px) {
    return period_px ? period_px : axis_px(side_A, sampling_A, 0);
  };
  window.px = {axis(plan.full_side_A[0], plan.grid.sampling_y_A, plan.grid.cell_y_px),
               axis(plan.full_side_A[1], plan.grid.sampling_x_A, plan.grid.cell_x_px)};
  window.reason = "window " + size_words(plan, window) + ": the whole cell";
  return window;
}

Window window_of_width(const Plan& plan, double width) {
  if (!(width > 0) || !std::isfinite(width))
    throw InputError("multislice.window.width_A", fmt::format("{}", width), "a length above 0");
  Window window;
  window.px = {axis_px(width, plan.grid.sampling_y_A, plan.grid.cell_y_px),
               axis_px(width, plan.grid.sampling_x_A, plan.grid.cell_x_px)};
  // As wide as everything there is: one cell with vacuum around, not a piece of a larger one.
  window.whole = holds(window, full_window(plan));
  if (window.whole) window.error_estimate = 0;
  window.reason = "window " + size_words(plan, window) + ": as asked for";
  return window;
}

Window choose_window(const Communicator& comm, const Stop& stop, const Request& request, const Plan& plan) {
  if (const auto* by = std::get_if<multislice::WindowTolerance>(&request.multislice.window))
    return window_by_tolerance(comm, stop, request, plan, by->tolerance);
  return expected_window(request, plan);
}

Window expected_window(const Request& request, const Plan& plan) {
  if (const auto* by = std::get_if<multislice::WindowWidth>(&request.multislice.window))
    return window_of_width(plan, by->width_A);
  if (std::holds_alternative<multislice::WindowFull>(request.multislice.window)) return full_window(plan);
  const double tolerance = std::get<multislice::WindowTolerance>(request.multislice.window).tolerance;
  if (!(tolerance > 0 && tolerance < 1))
    throw InputError("multislice.window.tolerance", fmt::format("{}", tolerance), "a number between 0 and 1");
  const double narrowest = narrowest_window_A(request, plan);
  const Window guess = window_of_width(plan, std::max(usual_window_A(plan, tolerance), narrowest));
  const Window full = full_window(plan);
  return holds(guess, full) ? full : guess;
}

std::vector<Window> windows_tried(const Request& request, const Plan& plan, const Window& chosen) {
  if (!std::holds_alternative<multislice::WindowTolerance>(request.multislice.window)) return {};
  const Window reference = reference_window(request, plan);
  std::vector<Window> tried{reference};
  for (const Window& window : candidates(request, plan, reference)) {
    tried.push_back(window);
    if (holds(window, chosen)) break;
  }
  return tried;
}

}  // namespace aetos::simulation
