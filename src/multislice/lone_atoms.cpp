#include "lone_atoms.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

/// Side of the cell around the atom: reciprocal pixels of 1 mrad.
constexpr double kCell_A = 19.2;
/// Directions that a beam is made of: circles of equal areas, and around each.
constexpr int kCircles = 4, kAround = 12;

FftGrid cell_of(const LateralGrid& grid) {
  const auto pixels = [](double sampling_A) {
    return fft::fast_size(static_cast<std::size_t>(std::ceil(kCell_A / sampling_A)), 16);
  };
  return {pixels(grid.sampling_x_A), pixels(grid.sampling_y_A), grid.sampling_x_A, grid.sampling_y_A};
}

/// Index on a reciprocal axis of n pixels of the pixel nearest to k.
std::size_t nearest(double k, double dk, std::size_t n) {
  const std::ptrdiff_t i = std::lround(k / dk);
  return static_cast<std::size_t>(i < 0 ? i + static_cast<std::ptrdiff_t>(n) : i);
}

}  // namespace

LoneAtoms::LoneAtoms(const EngineSettings& settings, double slice_thickness_A, double distance_A,
                     std::size_t channels)
    : microscope_(settings.microscope),
      wavelength_A_(electron_wavelength_A(settings.microscope.voltage_kV)),
      rings_radius_(std::max(0.5, 1 - wavelength_A_ / (4e-3 * microscope_.convergence_mrad * distance_A))),
      grid_(cell_of(settings.grid)),
      builder_(grid_, microscope_.voltage_kV, settings.multislice.parametrization,
               settings.multislice.phase_oversampling),
      sums_(settings.detectors, grid_, microscope_.voltage_kV, settings.multislice.detector_edges),
      waves_(grid_, microscope_.voltage_kV, slice_thickness_A),
      transmission_({2, grid_.nx, builder_.column_room()}),
      wave_({waves_.wave_size()}),
      intensity_({grid_.ny, grid_.nx}),
      with_(channels),
      without_(channels) {}

const LoneAtoms::Response& LoneAtoms::of(std::uint8_t atomic_number) {
  const auto found = known_.find(atomic_number);
  if (found != known_.end()) return found->second;
  const SliceAtoms atom{{atomic_number,
                         {{0.5 * static_cast<double>(grid_.nx) * grid_.dx_A,
                           0.5 * static_cast<double>(grid_.ny) * grid_.dy_A, 1}}}};
  builder_.transmissions({&atom, nullptr}, {transmission_, {}});
  Response& response = known_[atomic_number];
  response.probe.assign(with_.size(), 0);
  response.rings.assign(with_.size(), 0);
  for (int c = 0; c < kCircles; ++c)
    add_circle(std::sqrt((c + 0.5) / kCircles), 1.0 / kCircles, response.probe);
  add_circle(rings_radius_, 1, response.rings);
  return response;
}

/// Adds the mean over directions at a share of the aperture's radius, times `weight`.
void LoneAtoms::add_circle(double radius, double weight, std::vector<double>& response) {
  const double k = radius * microscope_.convergence_mrad * 1e-3 / wavelength_A_;
  const double axis_x = microscope_.beam_tilt_mrad[0] * 1e-3 / wavelength_A_;
  const double axis_y = microscope_.beam_tilt_mrad[1] * 1e-3 / wavelength_A_;
  const double area_A2 = 1 / (grid_.dkx() * grid_.dky());
  for (int d = 0; d < kAround; ++d) {
    const double phi = 2 * kPi * (d + 0.5) / kAround;
    detect(nearest(axis_y + k * std::sin(phi), grid_.dky(), grid_.ny),
           nearest(axis_x + k * std::cos(phi), grid_.dkx(), grid_.nx));
    for (std::size_t c = 0; c < response.size(); ++c)
      response[c] += weight / kAround * area_A2 * (with_[c] - without_[c]);
  }
}

/// A plane wave from one direction, with and without the atom.
void LoneAtoms::detect(std::size_t j, std::size_t i) {
  Array<std::complex<double>, 2> plane_wave({grid_.ny, grid_.nx});
  plane_wave(j, i) = 1;
  waves_.clear_probes();
  waves_.add_probe(plane_wave);
  std::fill(intensity_.begin(), intensity_.end(), 0.0f);
  intensity_(j, i) = 1;
  sums_.apply(intensity_, without_);
  intensity_(j, i) = 0;
  waves_.start(0, 0, 0, 0, wave_.data());
  const std::size_t stride = transmission_.extent(2);
  waves_.finish(wave_.data(),
                {transmission_.data(), transmission_.data() + transmission_.extent(1) * stride, stride}, 1,
                intensity_);
  sums_.apply(intensity_, with_);
}

}  // namespace aetos::multislice
