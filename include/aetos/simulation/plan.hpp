#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "aetos/atoms/specimen.hpp"
#include "aetos/atoms/thermal.hpp"
#include "aetos/multislice/focal_series.hpp"
#include "aetos/multislice/tile_engine.hpp"
#include "aetos/simulation/detector_limits.hpp"
#include "aetos/simulation/scan_grid.hpp"
#include "aetos/simulation/simulate.hpp"

/// What a request means, worked out before anything is computed, and from the request alone: every rank has
/// the same plan, and no part of it depends on the number of ranks.
namespace aetos::simulation {

struct Plan {
  double wavelength_A = 0;
  double angle_limit_mrad = 0;
  std::vector<multislice::FocusPoint> focal_series;  ///< a single one without a focal spread
  double probe_radius_A = 0;  ///< of the widest beam within the specimen, by its rays, over all foci
  DetectorPlan detectors;
  /// Those of `detectors` that make images, as the engine reads them, and the pixelated ones.
  std::vector<multislice::DetectorOptions> imaging, cameras;
  ScanGrid scan;
  std::vector<Tile> tiles;
  std::vector<Mat3> rotation;                 ///< per tilt
  std::vector<multislice::SliceGrid> slices;  ///< per tilt
  atoms::ThermalModel thermal;
  atoms::FilledSites sites;
  std::vector<bool> film;               ///< which atoms of the specimen are a film's
  multislice::LateralGrid grid;         ///< with a period only where the specimen repeats
  std::array<double, 2> full_side_A{};  ///< (y, x): what a whole cell has to hold where nothing repeats
  std::optional<double> electrons_per_pixel;
  std::vector<std::string> warnings;

  std::size_t configurations() const { return thermal.configurations; }
  std::size_t slice_count() const;  ///< of the tilt with the most
};

/// Narrowest window that is worth trying: its diffraction pixel is a fifth of the convergence angle, and the
/// rays of the probe stay 3.2 Å from its border.
double narrowest_window_A(const Request& request, const Plan& plan);

/// Throws InputError where a request cannot be simulated.
Plan make_plan(const Request& request);

/// Cuts a plan's scan into tiles of 5.5 Å, or of 8.2 Å where enough of them are left to share out and no
/// detector keeps patterns. Depends on the simulation alone, not on the ranks that share it.
void cut_into_tiles(Plan& plan, bool whole_cell = false);

/// Engine settings for a window of (y, x) pixels; `whole` makes the window the period of the axes that do not
/// repeat.
multislice::EngineSettings engine_settings(const Request& request, const Plan& plan,
                                           std::array<std::size_t, 2> window_px, bool whole);

/// The filled sites in the beam frame of a tilt: R^T (r + u), with the displacements of one configuration.
multislice::BeamAtoms beam_atoms(const Request& request, const Plan& plan, std::size_t tilt,
                                 std::size_t configuration);
/// The same at rest.
multislice::BeamAtoms beam_atoms_at_rest(const Request& request, const Plan& plan, std::size_t tilt);

}  // namespace aetos::simulation
