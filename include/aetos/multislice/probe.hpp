#pragma once

#include <complex>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/multislice/grid.hpp"
#include "aetos/multislice/options.hpp"

/// The electron probe in reciprocal space: aperture and aberrations.
namespace aetos::multislice {

/// Phase error chi (rad) at k (1/Å) from the beam's axis: (2 pi / lambda) (-D a² / 2 + sum C_nm a^(n+1)
/// cos(m (phi - phi_nm)) / (n + 1)) with a = lambda |k|, D the underfocus and kAberrations (Krivanek, Dellby
/// and Lupini 1999). The wave carries exp(-i chi).
double aberration_phase(const MicroscopeOptions& microscope, double defocus_A, double kx, double ky);

/// Farthest that a ray of the probe passes from its centre, Å: the largest |grad chi| / (2 pi) over the
/// aperture with this underfocus.
double ray_radius_A(const MicroscopeOptions& microscope, double defocus_A);

/// The aperture's edge and the tilt of the beam together, mrad: the largest angle in the free probe.
double largest_probe_angle_mrad(const MicroscopeOptions& microscope);

/// Amplitude of the aperture at k from the beam's axis: 1 inside, falling to 0 over one reciprocal pixel
/// centred on the edge (abTEM's soft aperture), which may lie some pixels farther out.
double aperture_amplitude(const MicroscopeOptions& microscope, const FftGrid& grid, double kx, double ky,
                          double wider_px = 0);

/// The free probe at k (1/Å), at pixel (0, 0), before it is normalised; see probe_spectrum.
std::complex<double> probe_wave(const MicroscopeOptions& microscope, double defocus_A, const FftGrid& grid,
                                double kx, double ky);

/// Integral of the aperture's squared amplitude on a grid, 1/Å².
double aperture_area(const MicroscopeOptions& microscope, const FftGrid& grid);

/// Spectrum of the probe at `position_A` from pixel (0, 0), with sum |psi(k)|² = 1. A tilted beam's aperture
/// and aberrations are centred on its axis; what `defocus_A` has beyond the lens's own is the way from the
/// reference plane, where the axis passes through `position_A`. Shape (ny, nx), FFT order. Throws InputError
/// when the aperture is wider than the band limit of the grid.
Array<std::complex<double>, 2> probe_spectrum(const MicroscopeOptions& microscope, double defocus_A,
                                              const FftGrid& grid, const Vec2& position_A);

/// The axes of a window that cut a larger cell (false: the axis is simulated whole).
struct CutAxes {
  bool x = false, y = false;
  bool any() const { return x || y; }
};

/// Spectrum of the probe at pixel (0, 0) of a window: the probe of `cell`, a grid that is larger along the
/// cut axes and equal along others, cut to the window with a soft edge of 0.2 Å. Its sum |psi(k)|² is the
/// share of the beam within the window: scaling it up to 1 would make every atom near the probe too bright.
/// What the cut sends more than a reciprocal pixel beyond the aperture is dropped. Together with ProbeTails
/// this takes the error of dark-field images from 1.5e-2 to 3.3e-3 at 64 pixels of 0.1 Å
/// (docs/performance.md). Shape (ny, nx), FFT order.
Array<std::complex<double>, 2> window_probe_spectrum(const MicroscopeOptions& microscope, double defocus_A,
                                                     const FftGrid& window, const FftGrid& cell, CutAxes cut);

}  // namespace aetos::multislice
