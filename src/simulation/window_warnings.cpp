#include "aetos/simulation/window_warnings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aetos::simulation {

std::vector<std::string> window_warnings(const Request& request, const Plan& plan, const Window& window) {
  const double alpha = request.microscope.convergence_mrad;
  const double width = std::min(static_cast<double>(window.px[0]) * plan.grid.sampling_y_A,
                                static_cast<double>(window.px[1]) * plan.grid.sampling_x_A);
  const double needed = narrowest_window_A(alpha, plan.wavelength_A);
  if (width >= needed * (1 - 1e-6)) return {};
  return {
      fmt::format("one pixel of the diffraction pattern is {:.3g} mrad in a window of {:.1f} Å, coarse "
                  "beside an aperture of {} "
                  "mrad; a window of {:.0f} Å or more resolves it",
                  1e3 * plan.wavelength_A / width, width, alpha, needed + 0.5)};
}

}  // namespace aetos::simulation
