#pragma once

#include <vector>

#include "aetos/io/tilt_series.hpp"
#include "aetos/simulation/error_budget.hpp"
#include "aetos/simulation/series.hpp"

namespace aetos::simulation {

/// What a simulated series says about itself: angles, pixel, microscope, detectors with the share of each
/// that the sampling covered, window with its error, error budget where there is one, specimen.
io::TiltSeriesInfo series_info(const Request& request, const Plan& plan, const Window& window,
                               const std::optional<ErrorBudget>& budget, const std::vector<Signal>& signals);

}  // namespace aetos::simulation
