#include "aetos/multislice/probe.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

using Complex = std::complex<double>;
using Wave = Array<Complex, 2>;

/// Width of the soft edge of a probe that is cut to its window.
constexpr double kSoftEdge_A = 0.2;

/// Largest |frequency index| with a non-zero aperture along an axis of reciprocal pixel `dk`, with room for
/// the edge.
std::ptrdiff_t highest_index(const MicroscopeOptions& microscope, double dk, std::size_t n) {
  const double edge =
      largest_probe_angle_mrad(microscope) * 1e-3 / electron_wavelength_A(microscope.voltage_kV);
  return std::min(static_cast<std::ptrdiff_t>(std::ceil(edge / dk)) + 1, static_cast<std::ptrdiff_t>(n / 2));
}

/// exp(2 pi i k x) / edge of a window's axis: rows are its pixels, with x from the middle pixel; columns are
/// the frequencies -highest..highest.
Wave axis_waves(std::size_t pixels, double pixel_A, double dk, std::ptrdiff_t highest, bool cut) {
  Wave waves({pixels, static_cast<std::size_t>(2 * highest + 1)});
  const auto middle = static_cast<double>(pixels / 2);
  for (std::size_t p = 0; p < pixels; ++p) {
    const double x = (static_cast<double>(p) - middle) * pixel_A;
    const double to_edge =
        std::min(static_cast<double>(p) + 0.5, static_cast<double>(pixels - p) - 0.5) * pixel_A;
    const double mask = cut && to_edge < kSoftEdge_A ? 0.5 * (1 - std::cos(kPi * to_edge / kSoftEdge_A)) : 1;
    for (std::size_t c = 0; c < waves.extent(1); ++c) {
      const double k = static_cast<double>(static_cast<std::ptrdiff_t>(c) - highest) * dk;
      waves(p, c) = std::polar(mask, 2 * kPi * k * x);
    }
  }
  return waves;
}

/// a b^T.
Wave times_transposed(const Wave& a, const Wave& b) {
  Wave product({a.extent(0), b.extent(0)});
  for (std::size_t i = 0; i < a.extent(0); ++i)
    for (std::size_t j = 0; j < b.extent(0); ++j) {
      Complex sum{};
      for (std::size_t c = 0; c < a.extent(1); ++c) sum += a(i, c) * b(j, c);
      product(i, j) = sum;
    }
  return product;
}

void forward_transform(Wave& wave) {
  auto* p = reinterpret_cast<fftw_complex*>(wave.data());
  const fft::PlanD plan(fftw_plan_dft_2d(static_cast<int>(wave.extent(0)), static_cast<int>(wave.extent(1)),
                                         p, p, FFTW_FORWARD, FFTW_ESTIMATE));
  fftw_execute(plan.get());
}

void normalise(Wave& spectrum) {
  double norm = 0;
  for (const auto& value : spectrum) norm += std::norm(value);
  for (auto& value : spectrum) value /= std::sqrt(norm);
}

void require_room_for_aperture(const MicroscopeOptions& microscope, const FftGrid& grid) {
  const double limit =
      BandLimit::of(grid.dx_A, grid.dy_A).start * electron_wavelength_A(microscope.voltage_kV) * 1e3;
  const double largest = largest_probe_angle_mrad(microscope);
  if (largest < limit) return;
  throw InputError("microscope.convergence_mrad",
                   std::to_string(largest) +
                       " mrad, the beam's tilt included, with a sampling that carries " +
                       std::to_string(limit) + " mrad",
                   "a smaller angle or a finer multislice.sampling_A");
}

}  // namespace

double aberration_phase(const MicroscopeOptions& microscope, double defocus_A, double kx, double ky) {
  const double lambda = electron_wavelength_A(microscope.voltage_kV);
  const double a = lambda * std::hypot(kx, ky), phi = std::atan2(ky, kx);
  double path = -defocus_A * a * a / 2;
  for (const auto& term : kAberrations) {
    const double size = microscope.*term.size_A;
    if (size == 0) continue;
    const double turn = term.m > 0 ? std::cos(term.m * (phi - radians(microscope.*term.direction_deg))) : 1;
    path += size * std::pow(a, term.n + 1) / (term.n + 1) * turn;
  }
  return 2 * kPi / lambda * path;
}

double ray_radius_A(const MicroscopeOptions& microscope, double defocus_A) {
  constexpr int kRadii = 32, kDirections = 96;
  double farthest = 0;
  for (int i = 1; i <= kRadii; ++i)
    for (int j = 0; j < kDirections; ++j) {
      const double a = microscope.convergence_mrad * 1e-3 * i / kRadii, phi = 2 * kPi * j / kDirections;
      double outward = -defocus_A * a, around = 0;
      for (const auto& term : kAberrations) {
        const double size = microscope.*term.size_A;
        if (size == 0) continue;
        const double angle = term.m > 0 ? term.m * (phi - radians(microscope.*term.direction_deg)) : 0;
        outward += size * std::pow(a, term.n) * std::cos(angle);
        around -= size * std::pow(a, term.n) * std::sin(angle) * term.m / (term.n + 1);
      }
      farthest = std::max(farthest, std::hypot(outward, around));
    }
  return farthest;
}

double largest_probe_angle_mrad(const MicroscopeOptions& microscope) {
  return microscope.convergence_mrad + std::hypot(microscope.beam_tilt_mrad[0], microscope.beam_tilt_mrad[1]);
}

double aperture_amplitude(const MicroscopeOptions& microscope, const FftGrid& grid, double kx, double ky,
                          double wider_px) {
  const double lambda = electron_wavelength_A(microscope.voltage_kV);
  const double edge = microscope.convergence_mrad * 1e-3;
  const double farthest = edge + (0.5 + wider_px) * lambda * (grid.dkx() + grid.dky());
  if (lambda * lambda * (kx * kx + ky * ky) > farthest * farthest) return 0;  // most pixels of a wide cell
  const double k = std::hypot(kx, ky);
  if (k == 0) return 1;
  const double ramp = lambda * std::hypot(kx / k * grid.dkx(), ky / k * grid.dky());
  return std::clamp((edge - lambda * k) / ramp + 0.5 + wider_px, 0.0, 1.0);
}

std::complex<double> probe_wave(const MicroscopeOptions& microscope, double defocus_A, const FftGrid& grid,
                                double kx, double ky) {
  const double lambda = electron_wavelength_A(microscope.voltage_kV);
  const double from_axis_x = kx - microscope.beam_tilt_mrad[0] * 1e-3 / lambda;
  const double from_axis_y = ky - microscope.beam_tilt_mrad[1] * 1e-3 / lambda;
  const double amplitude = aperture_amplitude(microscope, grid, from_axis_x, from_axis_y);
  if (amplitude == 0) return {};
  const double lens = aberration_phase(microscope, microscope.defocus_A, from_axis_x, from_axis_y);
  const double way = kPi * lambda * (defocus_A - microscope.defocus_A) * (kx * kx + ky * ky);
  return std::polar(amplitude, way - lens);
}

double aperture_area(const MicroscopeOptions& microscope, const FftGrid& grid) {
  const double lambda = electron_wavelength_A(microscope.voltage_kV);
  const double axis_x = microscope.beam_tilt_mrad[0] * 1e-3 / lambda;
  const double axis_y = microscope.beam_tilt_mrad[1] * 1e-3 / lambda;
  double sum = 0;
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i) {
      const double amplitude =
          aperture_amplitude(microscope, grid, grid.kx(i) - axis_x, grid.ky(j) - axis_y);
      sum += amplitude * amplitude;
    }
  return sum * grid.dkx() * grid.dky();
}

Array<std::complex<double>, 2> probe_spectrum(const MicroscopeOptions& microscope, double defocus_A,
                                              const FftGrid& grid, const Vec2& position_A) {
  require_room_for_aperture(microscope, grid);
  Wave spectrum({grid.ny, grid.nx});
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i) {
      const double kx = grid.kx(i), ky = grid.ky(j);
      const Complex wave = probe_wave(microscope, defocus_A, grid, kx, ky);
      if (wave == Complex{}) continue;
      spectrum(j, i) = wave * std::polar(1.0, -2 * kPi * (kx * position_A.x() + ky * position_A.y()));
    }
  normalise(spectrum);
  return spectrum;
}

Array<std::complex<double>, 2> window_probe_spectrum(const MicroscopeOptions& microscope, double defocus_A,
                                                     const FftGrid& window, const FftGrid& cell,
                                                     CutAxes cut) {
  require_room_for_aperture(microscope, window);
  const auto highest_x = highest_index(microscope, cell.dkx(), cell.nx);
  const auto highest_y = highest_index(microscope, cell.dky(), cell.ny);
  Wave aperture({static_cast<std::size_t>(2 * highest_y + 1), static_cast<std::size_t>(2 * highest_x + 1)});
  for (std::size_t j = 0; j < aperture.extent(0); ++j)
    for (std::size_t i = 0; i < aperture.extent(1); ++i) {
      const double kx = static_cast<double>(static_cast<std::ptrdiff_t>(i) - highest_x) * cell.dkx();
      const double ky = static_cast<double>(static_cast<std::ptrdiff_t>(j) - highest_y) * cell.dky();
      aperture(j, i) = probe_wave(microscope, defocus_A, cell, kx, ky);
    }
  const Wave along_x = axis_waves(window.nx, window.dx_A, cell.dkx(), highest_x, cut.x);
  const Wave along_y = axis_waves(window.ny, window.dy_A, cell.dky(), highest_y, cut.y);
  Wave wave = times_transposed(along_y, times_transposed(along_x, aperture));
  forward_transform(wave);
  double power = 0;
  for (const auto& value : aperture) power += std::norm(value);
  // The whole probe has the intensity 1 on its cell; the wave was centred on the middle pixel and moves to
  // pixel (0, 0).
  const double scale = std::sqrt(window.dx_A * window.dy_A * cell.dkx() * cell.dky() /
                                 (power * static_cast<double>(window.size())));
  const double x = static_cast<double>(window.nx / 2) * window.dx_A;
  const double y = static_cast<double>(window.ny / 2) * window.dy_A;
  const double axis_x = microscope.beam_tilt_mrad[0] * 1e-3 / electron_wavelength_A(microscope.voltage_kV);
  const double axis_y = microscope.beam_tilt_mrad[1] * 1e-3 / electron_wavelength_A(microscope.voltage_kV);
  for (std::size_t j = 0; j < window.ny; ++j)
    for (std::size_t i = 0; i < window.nx; ++i) {
      const double kx = window.kx(i), ky = window.ky(j);
      const double kept = aperture_amplitude(microscope, window, kx - axis_x, ky - axis_y, 1);
      wave(j, i) *= std::polar(scale * kept, 2 * kPi * (kx * x + ky * y));
    }
  return wave;
}

}  // namespace aetos::multislice
