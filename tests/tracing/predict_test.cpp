#include "aetos/tracing/predict.hpp"

#include <gtest/gtest.h>

#include "aetos/core/units.hpp"
#include "support/zirconium.hpp"

namespace aetos::tracing {
namespace {

PlannedSeries series() {
  PlannedSeries s;
  s.microscope.convergence_mrad = 30;
  s.microscope.source_fwhm_A = 2.5;  // so wide that the probe's own size hardly counts
  for (double theta = -90; theta < 90; theta += 4.5) s.tilts.push_back({0, theta, 0});
  s.shape = {64, 64};
  s.pixel_A = 0.3;
  s.electrons_per_pixel = 1e5;
  s.inner_mrad = 40;
  s.outer_mrad = 65;
  return s;
}

TEST(PredictedBound, a_lone_gaussian_atom_has_the_textbook_one) {
  // A Gaussian of variance S and N electrons, Poisson's noise alone: S / N along each axis of an image (e.g.
  // Ober et al. 2004). Along y every tilt counts, along x and z half of them. Peaks end where a tenth of an
  // electron does.
  const auto s = series();
  const double square =
      std::pow(sigma_from_fwhm(2.5), 2) + 0.04;  // the probe adds about 0.2 Å rms in its core
  const auto bound = predict_bound_pm(test::zirconium_at({Vec3(0, 0, 0)}), {"Zr"}, s);
  ASSERT_TRUE(bound);
  // Zirconium at 300 kV, 40 to 65 mrad under a cone of 30 mrad: 0.00688 Å² by a sum of its own over
  // Kirkland's table; multislice images of 608 atoms hold 0.0064 Å² of each
  // (shared/data/tomography/small-simulated).
  const double axis = std::pow(*bound / 100, 2) / 5 * 40;
  const double electrons = square / axis * 0.3 * 0.3;
  EXPECT_NEAR(electrons / 1e5, 0.0069, 0.001);
}

TEST(PredictedBound, falls_as_the_root_of_the_dose_and_ignores_other_species) {
  auto s = series();
  const auto specimen = test::zirconium_at({Vec3(0, 0, 0), Vec3(3, 1, -2), Vec3(-2, 3, 1)});
  const auto once = predict_bound_pm(specimen, {"Zr"}, s);
  s.electrons_per_pixel *= 4;
  const auto fourfold = predict_bound_pm(specimen, {"Zr"}, s);
  ASSERT_TRUE(once && fourfold);
  EXPECT_NEAR(*once / *fourfold, 2, 0.1);  // tails count for a little more where there are more electrons
  EXPECT_FALSE(predict_bound_pm(specimen, {"O"}, s));
  s.electrons_per_pixel = 0;
  EXPECT_FALSE(predict_bound_pm(specimen, {"Zr"}, s));
}

}  // namespace
}  // namespace aetos::tracing
