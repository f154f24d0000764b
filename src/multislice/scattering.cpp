#include "aetos/multislice/scattering.hpp"

#include <cmath>
#include <string>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"
#include "scattering_tables.hpp"

namespace aetos::multislice {
namespace {

std::size_t table_row(std::uint8_t atomic_number) {
  if (atomic_number < 1 || atomic_number > kKirklandTable.size())
    throw InputError("specimen", "no scattering factor for atomic number " + std::to_string(atomic_number),
                     "1 (H) to 103 (Lr)");
  return atomic_number - 1u;
}

}  // namespace

double scattering_factor_A(Parametrization parametrization, std::uint8_t atomic_number, double k2) {
  double f = 0;
  if (parametrization == Parametrization::kirkland) {
    const auto& p = kKirklandTable[table_row(atomic_number)];
    for (std::size_t i = 0; i < 6; i += 2) f += p[i] / (k2 + p[i + 1]) + p[i + 6] * std::exp(-p[i + 7] * k2);
  } else {
    const auto& p = kLobatoTable[table_row(atomic_number)];
    for (std::size_t i = 0; i < p.size(); i += 2) {
      const double q = 1 + p[i + 1] * k2;
      f += p[i] * (1 + q) / (q * q);
    }
  }
  return f;
}

double scattering_factor_beyond_A(Parametrization parametrization, std::uint8_t atomic_number, double k2,
                                  double depth_A) {
  double f = 0;
  if (parametrization == Parametrization::kirkland) {
    const auto& p = kKirklandTable[table_row(atomic_number)];
    for (std::size_t i = 0; i < 6; i += 2) {
      const double kappa2 = k2 + p[i + 1];
      f += p[i] / kappa2 * 0.5 * std::exp(-2 * kPi * std::sqrt(kappa2) * depth_A);
      f += p[i + 6] * std::exp(-p[i + 7] * k2) * 0.5 * std::erfc(kPi * depth_A / std::sqrt(p[i + 7]));
    }
    return f;
  }
  // a (2 + b k²) / (1 + b k²)² = (a / b) / kappa² + (a / b²) / kappa⁴ with kappa² = k² + 1 / b.
  const auto& p = kLobatoTable[table_row(atomic_number)];
  for (std::size_t i = 0; i < p.size(); i += 2) {
    const double a = p[i], b = p[i + 1], kappa2 = k2 + 1 / b;
    const double u = 2 * kPi * std::sqrt(kappa2) * depth_A;
    f += std::exp(-u) * (a / b / kappa2 * 0.5 + a / (b * b) / (kappa2 * kappa2) * 0.25 * (2 + u));
  }
  return f;
}

double projected_potential_VA(Parametrization parametrization, std::uint8_t atomic_number, double r_A) {
  double sum = 0;
  if (parametrization == Parametrization::kirkland) {
    const auto& p = kKirklandTable[table_row(atomic_number)];
    for (std::size_t i = 0; i < 6; i += 2) {
      sum += 2 * kPi * p[i] * std::cyl_bessel_k(0.0, 2 * kPi * r_A * std::sqrt(p[i + 1]));
      sum += kPi * p[i + 6] / p[i + 7] * std::exp(-kPi * kPi * r_A * r_A / p[i + 7]);
    }
  } else {
    const auto& p = kLobatoTable[table_row(atomic_number)];
    for (std::size_t i = 0; i < p.size(); i += 2) {
      const double a = p[i], b = p[i + 1];
      const double x = 2 * kPi * r_A / std::sqrt(b);
      sum += 2 * kPi * a / b * (std::cyl_bessel_k(0.0, x) + x / 2 * std::cyl_bessel_k(1.0, x));
    }
  }
  return kPotentialConstant_VA2 * sum;
}

}  // namespace aetos::multislice
