#pragma once

#include <numbers>

/// Constants (CODATA 2018, SI) and the electron's relativistic wavelength. Lengths elsewhere are in Å, angles of
/// the microscope in mrad, energies in kV, as the keys of the config say.
namespace aetos {

inline constexpr double kPi = std::numbers::pi;
inline constexpr double kPlanck_Js = 6.62607015e-34;
inline constexpr double kElectronMass_kg = 9.1093837015e-31;
inline constexpr double kElementaryCharge_C = 1.602176634e-19;
inline constexpr double kSpeedOfLight_m_s = 299792458.0;

/// h² / (2 pi m0 e) in V Å²: turns a scattering factor in Å into a potential (Kirkland 2010, eq. C.17).
inline constexpr double kPotentialConstant_VA2 =
    kPlanck_Js * kPlanck_Js / (2 * kPi * kElectronMass_kg * kElementaryCharge_C) * 1e20;

/// Relativistic de Broglie wavelength in Å (Kirkland 2010, eq. 2.5): 0.0196875 Å at 300 kV.
double electron_wavelength_A(double voltage_kV);

/// Interaction constant sigma in rad / (V Å) (Kirkland 2010, eq. 5.6): 6.5262e-4 at 300 kV.
double interaction_constant_rad_VA(double voltage_kV);

/// Mean square displacement along one axis (Å²) from a Debye-Waller factor B = 8 pi² <u²> (Å²).
constexpr double mean_square_displacement_A2(double debye_waller_B_A2) {
  return debye_waller_B_A2 / (8 * kPi * kPi);
}

/// Standard deviation of a Gaussian from its full width at half maximum.
double sigma_from_fwhm(double fwhm);

inline constexpr double radians(double degrees) { return degrees * kPi / 180; }

}  // namespace aetos
