#include "aetos/multislice/scattering.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"
#include "support/shared_data.hpp"

namespace aetos::multislice {
namespace {

TEST(Scattering, ProjectedPotentialAgreesWithAbtemsClosedForms) {
  AETOS_NEEDS_SHARED("multislice/atom-potential.csv");
  std::ifstream file(test::shared_data("multislice/atom-potential.csv"));
  std::string line;
  std::getline(file, line);
  ASSERT_EQ(line, "r_A,Zr_kirkland_VA,O_kirkland_VA,Zr_lobato_VA,O_lobato_VA");
  int rows = 0;
  for (; std::getline(file, line); ++rows) {
    std::istringstream row(line);
    char comma = 0;
    double r = 0, expected[4];
    row >> r;
    for (double& e : expected) row >> comma >> e;
    const double found[4] = {projected_potential_VA(Parametrization::kirkland, 40, r),
                             projected_potential_VA(Parametrization::kirkland, 8, r),
                             projected_potential_VA(Parametrization::lobato, 40, r),
                             projected_potential_VA(Parametrization::lobato, 8, r)};
    for (int i = 0; i < 4; ++i)
      EXPECT_NEAR(found[i] / expected[i], 1, 1e-6) << "column " << i << ", r = " << r;
  }
  EXPECT_GT(rows, 90);
}

/// The Hankel transform of the projected potential returns f, which ties the two closed forms together.
TEST(Scattering, FactorIsTheTransformOfTheProjectedPotential) {
  for (const auto parametrization : {Parametrization::kirkland, Parametrization::lobato})
    for (const double k : {0.2, 1.0}) {
      double sum = 0;
      const double step = 0.002;
      for (double r = step / 2; r < 14; r += step)
        sum += projected_potential_VA(parametrization, 14, r) * std::cyl_bessel_j(0.0, 2 * kPi * k * r) * 2 *
               kPi * r * step;
      const double f = scattering_factor_A(parametrization, 14, k * k);
      EXPECT_NEAR(sum / kPotentialConstant_VA2 / f, 1, 2e-3);
    }
}

TEST(Scattering, RefusesUnknownElements) {
  EXPECT_THROW(scattering_factor_A(Parametrization::kirkland, 0, 1), InputError);
  EXPECT_THROW(scattering_factor_A(Parametrization::lobato, 104, 1), InputError);
}

}  // namespace
}  // namespace aetos::multislice
