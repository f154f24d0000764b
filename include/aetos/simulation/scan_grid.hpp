#pragma once

#include <cstddef>
#include <vector>

#include "aetos/core/geometry.hpp"
#include "aetos/multislice/options.hpp"

namespace aetos::simulation {

/// The pixels of an image and the probes behind them. Pixel (ny / 2, nx / 2) lies on the rotation centre;
/// between two neighbouring pixels lie `per_pixel` steps of the probe along either axis.
struct ScanGrid {
  std::size_t ny = 1, nx = 1;  ///< image
  double pixel_A = 1;
  std::size_t per_pixel = 1;

  double step_A() const { return pixel_A / static_cast<double>(per_pixel); }
  std::size_t probes_y() const { return (ny - 1) * per_pixel + 1; }
  std::size_t probes_x() const { return (nx - 1) * per_pixel + 1; }
  std::size_t probes() const { return probes_y() * probes_x(); }
  /// (x, y) of a probe in Å about the rotation centre.
  Vec2 probe(std::size_t iy, std::size_t ix) const;
};

/// Room around the atoms in an automatic field, Å.
inline constexpr double kFieldMargin_A = 6;

/// Resolves `scan`. field auto: a square of 2 ceil((outer_radius + 6 Å) / pixel) pixels; numbers are rounded
/// to whole pixels, at least one. probe_step auto: pixel / m with the smallest m for a step of at most lambda
/// / (4 alpha). Throws InputError for sizes that are not positive and for a step that does not divide the
/// pixel.
ScanGrid scan_grid(const multislice::ScanOptions& options, double outer_radius_A, double wavelength_A,
                   double convergence_mrad);

/// Largest probe step that carries everything a probe of this convergence can show: lambda / (4 alpha).
double nyquist_step_A(double wavelength_A, double convergence_mrad);

/// A block of neighbouring probes, the unit of work. Half-open ranges of probe indices.
struct Tile {
  std::size_t y_begin = 0, y_end = 0, x_begin = 0, x_end = 0;
  std::size_t probes() const { return (y_end - y_begin) * (x_end - x_begin); }
};

/// Cuts the scan into blocks of about `side_A` (at least one probe wide), row by row. Where every probe is
/// propagated on the whole cell, whose potential all share, blocks are at least 8 probes wide.
std::vector<Tile> make_tiles(const ScanGrid& scan, double side_A, bool whole_cell = false);
/// Places of a tile's probes, row by row.
std::vector<Vec2> tile_probes(const ScanGrid& scan, const Tile& tile);

}  // namespace aetos::simulation
