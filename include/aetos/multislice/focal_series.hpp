#pragma once

#include <vector>

#include "aetos/multislice/options.hpp"

/// A spread of the focus as an average over single ones.
namespace aetos::multislice {

struct FocusPoint {
  double offset_A = 0;  ///< added to the underfocus
  double weight = 1;    ///< all add up to 1
};

/// Standard deviation of the focus: focal_spread_A, or of Cc_A with energy_spread_eV. The latter is Cc (dE /
/// E) (1 + E / E0) / (1 + E / 2 E0) with dE the standard deviation of the energy and E0 the electron's rest
/// energy (Reimer and Kohl 2008). Throws InputError where one of the two is given without the other.
double focal_spread_A(const MicroscopeOptions& microscope);

inline constexpr int kMostFocalPoints = 99, kMostAutoFocalPoints = 41;

/// The smallest odd number of points whose Gauss-Hermite rule integrates the largest phase, that between the
/// aperture's edge and its middle, to about 1 %; 1 where there is no spread.
int enough_focal_points(const MicroscopeOptions& microscope);

/// The points of Gauss-Hermite's rule for a Gaussian of that width; a single one where there is no spread.
/// focal_points auto: as many as are enough, kMostAutoFocalPoints at most.
std::vector<FocusPoint> focal_series(const MicroscopeOptions& microscope);

}  // namespace aetos::multislice
