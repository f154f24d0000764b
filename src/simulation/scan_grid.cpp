#include "aetos/simulation/scan_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"

namespace aetos::simulation {
namespace {

constexpr std::size_t kLargestImage = 1u << 20;

std::size_t pixels_for(double field_A, double pixel_A) {
  if (!(field_A > 0) || !std::isfinite(field_A))
    throw InputError("scan.field_A", fmt::format("{}", field_A), "a length above 0");
  const double pixels = std::max(1.0, std::round(field_A / pixel_A));
  if (pixels > static_cast<double>(kLargestImage))
    throw InputError("scan.field_A", fmt::format("{} Å at a pixel of {} Å", field_A, pixel_A),
                     fmt::format("at most {} pixels a side", kLargestImage));
  return static_cast<std::size_t>(pixels);
}

std::size_t steps_per_pixel(const multislice::ScanOptions& options, double wavelength_A,
                            double convergence_mrad) {
  if (std::holds_alternative<multislice::ScanOptions::Pixel>(options.probe_step_A)) return 1;
  if (const double* step = std::get_if<double>(&options.probe_step_A)) {
    const double ratio = *step > 0 ? options.pixel_A / *step : 0;
    const double whole = std::round(ratio);
    if (!(whole >= 1) || std::abs(ratio - whole) > 1e-6 * whole)
      throw InputError("scan.probe_step_A", fmt::format("{} Å with a pixel of {} Å", *step, options.pixel_A),
                       "the pixel divided by a whole number, `pixel` or `auto`");
    return static_cast<std::size_t>(whole);
  }
  const double needed = options.pixel_A / nyquist_step_A(wavelength_A, convergence_mrad);
  return static_cast<std::size_t>(std::max(1.0, std::ceil(needed - 1e-9)));
}

}  // namespace

Vec2 ScanGrid::probe(std::size_t iy, std::size_t ix) const {
  const auto place = [this](std::size_t i, std::size_t n) {
    const auto centre = static_cast<double>(centre_index(n) * per_pixel);
    return (static_cast<double>(i) - centre) / static_cast<double>(per_pixel) * pixel_A;
  };
  return {place(ix, nx), place(iy, ny)};
}

double nyquist_step_A(double wavelength_A, double convergence_mrad) {
  return wavelength_A / (4 * convergence_mrad * 1e-3);
}

ScanGrid scan_grid(const multislice::ScanOptions& options, double outer_radius_A, double wavelength_A,
                   double convergence_mrad) {
  if (!(options.pixel_A > 0) || !std::isfinite(options.pixel_A))
    throw InputError("scan.pixel_A", fmt::format("{}", options.pixel_A), "a length above 0");
  ScanGrid scan;
  scan.pixel_A = options.pixel_A;
  if (options.field_A) {
    scan.ny = pixels_for((*options.field_A)[0], options.pixel_A);
    scan.nx = pixels_for((*options.field_A)[1], options.pixel_A);
  } else {
    const double half = std::ceil((outer_radius_A + kFieldMargin_A) / options.pixel_A);
    scan.ny = scan.nx = pixels_for(2 * half * options.pixel_A, options.pixel_A);
  }
  scan.per_pixel = steps_per_pixel(options, wavelength_A, convergence_mrad);
  return scan;
}

std::vector<Tile> make_tiles(const ScanGrid& scan, double side_A, bool whole_cell) {
  const double least = whole_cell ? 8 : 1;
  const auto side =
      static_cast<std::size_t>(std::clamp(std::round(side_A / scan.step_A()), least, 32.0));
  std::vector<Tile> tiles;
  for (std::size_t y = 0; y < scan.probes_y(); y += side)
    for (std::size_t x = 0; x < scan.probes_x(); x += side)
      tiles.push_back({y, std::min(y + side, scan.probes_y()), x, std::min(x + side, scan.probes_x())});
  return tiles;
}

std::vector<Vec2> tile_probes(const ScanGrid& scan, const Tile& tile) {
  std::vector<Vec2> probes;
  probes.reserve(tile.probes());
  for (std::size_t y = tile.y_begin; y < tile.y_end; ++y)
    for (std::size_t x = tile.x_begin; x < tile.x_end; ++x) probes.push_back(scan.probe(y, x));
  return probes;
}

}  // namespace aetos::simulation
