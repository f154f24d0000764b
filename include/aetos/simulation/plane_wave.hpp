#pragma once

#include "aetos/simulation/simulate.hpp"

/// Plane-wave images: the driver for `multislice.mode: plane_wave`, which `estimate` and `simulate` call.
namespace aetos::simulation {

Estimate estimate_plane_wave(const Request& request, int ranks);

/// As `simulate`: images of detectors of kind `image` go to `file`, patterns of `pixelated` ones to
/// diffraction.h5 beside it. Groups of ranks take turns with (tilt, configuration); those of one group share
/// a wave. Finished strips of images and patterns are journalled.
nlohmann::json simulate_plane_wave(const RunContext& context, const Request& request,
                                   const std::filesystem::path& file);

}  // namespace aetos::simulation
