#pragma once

#include <string>
#include <vector>

#include "aetos/simulation/window.hpp"

namespace aetos::simulation {

/// What speaks against a window: a diffraction pixel that is coarse beside the aperture, with a width that
/// would do.
std::vector<std::string> window_warnings(const Request& request, const Plan& plan, const Window& window);

}  // namespace aetos::simulation
