#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/stop.hpp"
#include "aetos/simulation/plan.hpp"

/// How large a piece of specimen each probe is propagated on.
namespace aetos::simulation {

struct Window {
  std::array<std::size_t, 2> px{};  ///< (y, x)
  bool whole = false;               ///< the window is the whole cell, on every axis
  std::optional<double>
      error_estimate;             ///< relative RMS error of the detectors' signals; 0 for the whole cell
  std::string reason;             ///< one line for the log
  std::uint64_t wave_slices = 0;  ///< spent by this rank on the choice
};

/// From a window's difference to a wider one to its error against the whole cell: errors of windows fall with
/// the square of their width (docs/performance.md) and are alike, so that the wider one's is missing.
double reference_factor(double width_A, double reference_A, bool reference_is_whole);
/// The narrower side, Å.
double window_width_A(const Plan& plan, const Window& window);

/// The whole cell: the period where the specimen repeats; elsewhere a square that holds the field and every
/// atom with a margin (Plan::full_side_A), in a size that transforms fast.
Window full_window(const Plan& plan);
/// A window at least `width_A` wide, in a size that transforms fast; never wider than a period.
Window window_of_width(const Plan& plan, double width_A);

/// Resolves multislice.window. `tolerance` propagates sample probes (a fixed draw over tilts and over the
/// places that hold atoms) on growing windows and on one much larger, takes the smallest window that holds,
/// and states its error: that of the samples, one standard error of it more, and the larger window's own.
/// Throws Interrupted on all ranks at a stop request. Collective; the choice does not depend on the number of
/// ranks.
Window choose_window(const Communicator& comm, const Stop& stop, const Request& request, const Plan& plan);

/// What `choose_window` is expected to take, without trying: for estimates of cost.
Window expected_window(const Request& request, const Plan& plan);
/// The windows on which `choose_window` propagates sample probes before it takes `chosen`: the much larger
/// one first. None where the config names its window.
std::vector<Window> windows_tried(const Request& request, const Plan& plan, const Window& chosen);

}  // namespace aetos::simulation
