#include "aetos/core/units.hpp"

#include <cmath>

namespace aetos {
namespace {

constexpr double kRestEnergy_eV =
    kElectronMass_kg * kSpeedOfLight_m_s * kSpeedOfLight_m_s / kElementaryCharge_C;

}  // namespace

double electron_wavelength_A(double voltage_kV) {
  const double energy_eV = voltage_kV * 1e3;
  return kPlanck_Js * kSpeedOfLight_m_s / std::sqrt(energy_eV * (2 * kRestEnergy_eV + energy_eV)) /
         kElementaryCharge_C * 1e10;
}

double interaction_constant_rad_VA(double voltage_kV) {
  const double gamma = 1 + voltage_kV * 1e3 / kRestEnergy_eV;
  const double wavelength_m = electron_wavelength_A(voltage_kV) * 1e-10;
  return 2 * kPi * kElectronMass_kg * gamma * kElementaryCharge_C * wavelength_m /
         (kPlanck_Js * kPlanck_Js) * 1e-10;
}

double sigma_from_fwhm(double fwhm) { return fwhm / (2 * std::sqrt(2 * std::log(2.0))); }

}  // namespace aetos
