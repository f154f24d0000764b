#include "aetos/simulation/detector_limits.hpp"

#include <gtest/gtest.h>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::simulation {
namespace {

using multislice::DetectorKind;
using multislice::DetectorOptions;

const double kWavelength = electron_wavelength_A(300);
const double kLimit = kWavelength / (3 * 0.1) * 1e3;  // 0.1 Å: 65.6 mrad

DetectorOptions annulus(double inner, double outer, const char* name = "adf") {
  return {.name = name, .inner_mrad = inner, .outer_mrad = outer};
}

std::string place_of_error(const std::vector<DetectorOptions>& detectors) {
  try {
    plan_detectors(detectors, kLimit, kWavelength);
  } catch (const InputError& e) {
    return e.place();
  }
  return "accepted";
}

TEST(DetectorLimits, TheStudysDetectorIsPartlyBeyond) {
  const auto plan = plan_detectors({annulus(39.4, 200)}, kLimit, kWavelength);
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("65.6 mrad"), std::string::npos) << plan.warnings[0];
  EXPECT_NE(plan.warnings[0].find("0.0328"), std::string::npos) << plan.warnings[0];
  EXPECT_NEAR(plan.covered_share[0], (65.625 * 65.625 - 39.4 * 39.4) / (200. * 200 - 39.4 * 39.4), 1e-4);
  EXPECT_TRUE(plan_detectors({annulus(39.4, 60)}, kLimit, kWavelength).warnings.empty());
}

TEST(DetectorLimits, ImpossibleDetectorsNameTheirKey) {
  EXPECT_EQ(place_of_error({annulus(70, 200)}), "detectors[0].inner_mrad");
  EXPECT_EQ(place_of_error({annulus(40, 40)}), "detectors[0].outer_mrad");
  EXPECT_EQ(place_of_error({annulus(0, 20, "bf"), annulus(50, 40)}), "detectors[1].outer_mrad");
  EXPECT_EQ(place_of_error({annulus(-1, 40)}), "detectors[0].inner_mrad");
  EXPECT_EQ(place_of_error({annulus(0, 20), annulus(30, 40)}), "detectors[1].name");
  EXPECT_EQ(place_of_error({annulus(0, 20, "a/b")}), "detectors[0].name");
  EXPECT_EQ(place_of_error({{.name = "r", .kind = DetectorKind::radial, .outer_mrad = 60, .step_mrad = 0}}),
            "detectors[0].step_mrad");
  EXPECT_EQ(place_of_error({}), "detectors");
}

TEST(DetectorLimits, RingsEndAtTheLimit) {
  const DetectorOptions rings{.name = "r", .kind = DetectorKind::radial, .outer_mrad = 100, .step_mrad = 1};
  const auto plan = plan_detectors({rings}, kLimit, kWavelength);
  EXPECT_DOUBLE_EQ(plan.detectors[0].outer_mrad, kLimit);
  EXPECT_EQ(plan.warnings.size(), 1u);
}

TEST(DetectorLimits, TheApertureHasToFit) {
  EXPECT_NO_THROW(check_convergence(30, kLimit, kWavelength));
  try {
    check_convergence(80, kLimit, kWavelength);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("0.0781"), std::string::npos) << e.what();  // lambda / (3 x 84 mrad)
  }
  EXPECT_NEAR(narrowest_window_A(1, kWavelength), 98.4, 0.1);
}

}  // namespace
}  // namespace aetos::simulation
