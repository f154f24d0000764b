#pragma once

#include <string>
#include <vector>

#include "aetos/multislice/options.hpp"

/// What the sampling lets the detectors and the aperture see.
namespace aetos::simulation {

/// Detectors as they can be simulated, with what was lost of each.
struct DetectorPlan {
  std::vector<multislice::DetectorOptions> detectors;  ///< rings of a radial one end at the limit
  std::vector<double> covered_share;  ///< of each detector's solid angle, below the limit; 1 = all
  std::vector<std::string> warnings;
};

/// Checks names and angles against the angle limit of a sampling (mrad). Throws InputError, with the key, for
/// two detectors of one name, inner < 0, outer <= inner, rings without width, and detectors wholly beyond the
/// limit. `finest_A(angle)` is the sampling that would reach an angle: lambda / (3 angle).
DetectorPlan plan_detectors(const std::vector<multislice::DetectorOptions>& detectors,
                            double angle_limit_mrad, double wavelength_A);

/// Throws InputError if the aperture does not fit into the band of the grid, with the sampling that would
/// hold it.
void check_convergence(double convergence_mrad, double angle_limit_mrad, double wavelength_A);

/// Narrowest window whose diffraction pixel lambda / width is a fifth of the convergence angle, Å.
double narrowest_window_A(double convergence_mrad, double wavelength_A);

}  // namespace aetos::simulation
