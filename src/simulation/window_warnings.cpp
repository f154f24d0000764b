#include "aetos/simulation/window_warnings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aetos::simulation {

std::vector<std::string> window_warnings(const Request& request, const Plan& plan, const Window& window) {
  const double alpha = request.microscope.convergence_mrad;
  const double width = std::min(static_cast<double>(window.px[0]) * plan.grid.sampling_y_A,
                                static_cast<double>(window.px[1]) * plan.grid.sampling_x_A);
  std::vector<std::string> warnings;
  const double resolves = narrowest_window_A(alpha, plan.wavelength_A);
  if (width < resolves * (1 - 1e-6))
    warnings.push_back(
        fmt::format("one pixel of the diffraction pattern is {:.3g} mrad in a window of {:.1f} Å, coarse "
                    "beside an aperture of {} mrad; a window of {:.0f} Å or more resolves it",
                    1e3 * plan.wavelength_A / width, width, alpha, resolves + 0.5));
  if (!window.whole && width < 2 * plan.probe_radius_A)
    warnings.push_back(fmt::format(
        "with its defocus and aberrations the probe is {:.1f} Å wide, more than its window of {:.1f} Å; a "
        "window of {:.0f} Å or more holds it",
        2 * plan.probe_radius_A, width, narrowest_window_A(request, plan) + 0.5));
  return warnings;
}

}  // namespace aetos::simulation
