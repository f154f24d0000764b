#include "aetos/multislice/probe.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::multislice {

double aberration_phase(const MicroscopeOptions& microscope, double defocus_A, double kx, double ky) {
  const double lambda = electron_wavelength_A(microscope.voltage_kV);
  const double a2 = lambda * lambda * (kx * kx + ky * ky);
  const double twofold = std::cos(2 * (std::atan2(ky, kx) - radians(microscope.C12_deg)));
  return kPi / lambda * a2 * (-defocus_A + microscope.C30_A * a2 / 2 + microscope.C12_A * twofold);
}

double aperture_amplitude(const MicroscopeOptions& microscope, const FftGrid& grid, double kx, double ky) {
  const double lambda = electron_wavelength_A(microscope.voltage_kV);
  const double k = std::hypot(kx, ky);
  if (k == 0) return 1;
  const double ramp = lambda * std::hypot(kx / k * grid.dkx(), ky / k * grid.dky());
  return std::clamp((microscope.convergence_mrad * 1e-3 - lambda * k) / ramp + 0.5, 0.0, 1.0);
}

Array<std::complex<double>, 2> probe_spectrum(const MicroscopeOptions& microscope, double defocus_A,
                                              const FftGrid& grid, const Vec2& position_A) {
  const double lambda = electron_wavelength_A(microscope.voltage_kV);
  const double limit = BandLimit::of(grid.dx_A, grid.dy_A).start * lambda * 1e3;
  if (microscope.convergence_mrad >= limit)
    throw InputError("microscope.convergence_mrad",
                     std::to_string(microscope.convergence_mrad) + " mrad with a sampling that carries " +
                         std::to_string(limit) + " mrad",
                     "a smaller angle or a finer multislice.sampling_A");
  Array<std::complex<double>, 2> spectrum({grid.ny, grid.nx});
  double norm = 0;
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i) {
      const double kx = grid.kx(i), ky = grid.ky(j);
      const double amplitude = aperture_amplitude(microscope, grid, kx, ky);
      if (amplitude == 0) continue;
      const double phase = -aberration_phase(microscope, defocus_A, kx, ky) -
                           2 * kPi * (kx * position_A.x() + ky * position_A.y());
      spectrum(j, i) = std::polar(amplitude, phase);
      norm += amplitude * amplitude;
    }
  for (auto& value : spectrum) value /= std::sqrt(norm);
  return spectrum;
}

}  // namespace aetos::multislice
