#pragma once

#include <cstdint>

#include "aetos/multislice/options.hpp"

/// Electron scattering factors of neutral atoms and the potentials that follow from them.
namespace aetos::multislice {

/// Scattering factor f in Å at k = 1/d in 1/Å (not s = k/2), given k² in 1/Å².
/// Kirkland (2010), eq. C.15: sum a/(k² + b) + sum c exp(-d k²); Lobato and Van Dyck (2014), eq. 16:
/// sum a (2 + b k²)/(1 + b k²)². Throws InputError for an atomic number outside 1..103.
double scattering_factor_A(Parametrization parametrization, std::uint8_t atomic_number, double k2);

/// The part of f at the lateral frequency k that lies more than `depth_A` >= 0 above the atom along the beam:
/// f(k², kz) transformed along z and integrated from depth_A to infinity; f / 2 at depth 0. Closed forms:
/// each Lorentzian falls as exp(-2 pi kappa z) with kappa² = k² + b, each Gaussian as erfc (Kirkland 2010,
/// sec. 5.3).
double scattering_factor_beyond_A(Parametrization parametrization, std::uint8_t atomic_number, double k2,
                                  double depth_A);

/// Projected potential in V Å at the distance r > 0 (Å) from an atom's axis: the closed form of
/// h²/(2 pi m0 e) times the 2D Fourier transform of f (Bessel functions K0 and K1, Kirkland 2010, eq. C.20).
double projected_potential_VA(Parametrization parametrization, std::uint8_t atomic_number, double r_A);

}  // namespace aetos::multislice
