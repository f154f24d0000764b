#include "aetos/multislice/focal_series.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

constexpr double kRestEnergy_kV = 510.99895, kAccuracy = 0.01;
constexpr int kEndOfSearch = 9999;

/// n! a^(2n) / (2n)!: what the rule of n points leaves of exp(i a x) over a normal x.
double rest(int n, double a) {
  return std::exp(std::lgamma(n + 1.0) + 2 * n * std::log(a) - std::lgamma(2 * n + 1.0));
}

/// Zeros of polynomials of up to 99 are farther apart than this; 0 is a zero of odd ones.
constexpr double kStep = 0.02, kOffCentre = 0.37;

struct Hermite {
  double value, before;  ///< h_n and h_(n-1)
};

/// Hermite polynomials that are orthonormal over a normal distribution.
Hermite hermite(int n, double x) {
  Hermite h{1, 0};
  for (int i = 1; i <= n; ++i) h = {(x * h.value - std::sqrt(i - 1.0) * h.before) / std::sqrt(i), h.value};
  return h;
}

double zero_between(int n, double low, double high) {
  const bool rising = hermite(n, high).value > 0;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    ((hermite(n, middle).value > 0) == rising ? high : low) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double focal_spread_A(const MicroscopeOptions& m) {
  if ((m.Cc_A > 0) != (m.energy_spread_eV > 0))
    throw InputError(m.Cc_A > 0 ? "microscope.Cc_A" : "microscope.energy_spread_eV", "given alone",
                     "Cc_A and energy_spread_eV together");
  if (m.Cc_A > 0 && m.focal_spread_A > 0)
    throw InputError("microscope.focal_spread_A", "given beside Cc_A", "one of the two");
  if (!(m.Cc_A > 0)) return m.focal_spread_A;
  const double relativistic = (1 + m.voltage_kV / kRestEnergy_kV) / (1 + m.voltage_kV / (2 * kRestEnergy_kV));
  return m.Cc_A * sigma_from_fwhm(m.energy_spread_eV) / (m.voltage_kV * 1e3) * relativistic;
}

int enough_focal_points(const MicroscopeOptions& microscope) {
  const double spread = focal_spread_A(microscope), alpha = microscope.convergence_mrad * 1e-3;
  if (!(spread > 0)) return 1;
  const double phase = kPi * spread * alpha * alpha / electron_wavelength_A(microscope.voltage_kV);
  int n = 3;
  while (n < kEndOfSearch && rest(n, phase) > kAccuracy) n += 2;
  return n;
}

/// The nodes are the zeros of the normalised Hermite polynomial h_n, the weights 1 / (n h_(n-1)²)
/// (Abramowitz and Stegun 1964, 25.4.46).
std::vector<FocusPoint> focal_series(const MicroscopeOptions& microscope) {
  const double spread = focal_spread_A(microscope);
  if (!(spread > 0)) return {{0, 1}};
  const int n =
      microscope.focal_points.value_or(std::min(enough_focal_points(microscope), kMostAutoFocalPoints));
  std::vector<FocusPoint> series;
  const auto end = static_cast<int>(std::ceil(2 * std::sqrt(n) / kStep));
  for (int i = -end; i < end; ++i) {
    const double low = (i + kOffCentre) * kStep, high = low + kStep;
    if ((hermite(n, low).value > 0) == (hermite(n, high).value > 0)) continue;
    const double node = zero_between(n, low, high);
    series.push_back({spread * node, 1 / (n * std::pow(hermite(n, node).before, 2))});
  }
  return series;
}

}  // namespace aetos::multislice
