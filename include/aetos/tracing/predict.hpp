#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/structure.hpp"
#include "aetos/multislice/options.hpp"

namespace aetos::tracing {

/// A tilt series that is not there yet.
struct PlannedSeries {
  multislice::MicroscopeOptions microscope;
  std::vector<EulerAngles> tilts;
  Shape<2> shape{};
  double pixel_A = 0;
  double electrons_per_pixel = 0;
  double inner_mrad = 0, outer_mrad = 0;  ///< of the annular detector
  double mean_square_displacement_A2 = 0;
  multislice::Parametrization parametrization = multislice::Parametrization::kirkland;
};

/// Cramér-Rao bound of atoms' 3D positions in pm, rms over atoms of the species given: Poisson's noise on
/// images to which every atom adds its cross-section into the detector, (sigma_e h² / (2 pi m0 e))² times the
/// integral of f² over the ring, averaged over the probe's cone (first Born approximation), spread over the
/// probe's intensity at its depth, source, thermal motion and the atom's own extent. Neither channelling nor
/// the weakening of the beam is in it, and neighbours are taken as known. At most 400 atoms, evenly chosen,
/// are bounded. Nothing where no atom of the species is there.
std::optional<double> predict_bound_pm(const Structure& specimen, const std::vector<std::string>& species,
                                       const PlannedSeries& series);

}  // namespace aetos::tracing
