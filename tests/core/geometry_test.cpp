#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "aetos/core/geometry.hpp"
#include "aetos/core/units.hpp"

namespace aetos {
namespace {

TEST(Rotation, MeetsTheTestVectorOfTheSpecification) {
  // phi = 10, theta = 20, psi = 30 degrees, r = (1, 2, 3): the convention of the public RESIRE code.
  const Vec3 r = to_beam_frame(rotation_matrix({10, 20, 30}), Vec3(1, 2, 3));
  EXPECT_NEAR(r.x(), 0.225708, 5e-7);
  EXPECT_NEAR(r.y(), 3.192695, 5e-7);
  EXPECT_NEAR(r.z(), 1.937976, 5e-7);
}

TEST(Rotation, PlainTiltFollowsItsFormula) {
  // u = x cos(theta) - z sin(theta), v = y.
  const Mat3 tilt = rotation_matrix({0, 30, 0});
  EXPECT_NEAR(to_beam_frame(tilt, Vec3(8, 0, 0)).x(), 6.928203, 1e-6);
  EXPECT_NEAR(to_beam_frame(tilt, Vec3(0, 0, 8)).x(), -4, 1e-12);
  EXPECT_DOUBLE_EQ(to_beam_frame(tilt, Vec3(0, 5, 0)).y(), 5);
}

TEST(Rotation, EachAngleTurnsAboutItsOwnAxis) {
  const Mat3 about_z = rotation_matrix({90, 0, 0}), about_y = rotation_matrix({0, 90, 0}),
             about_x = rotation_matrix({0, 0, 90});
  EXPECT_EQ(about_z * Vec3(1, 0, 0), Vec3(0, 1, 0));
  EXPECT_EQ(about_y * Vec3(0, 0, 1), Vec3(1, 0, 0));
  EXPECT_EQ(about_x * Vec3(0, 1, 0), Vec3(0, 0, 1));
}

TEST(Rotation, RightAnglesAndFullTurnsAreExact) {
  const Mat3 identity = Mat3::Identity();
  EXPECT_EQ(rotation_matrix({0, 0, 0}), identity);
  EXPECT_EQ(rotation_matrix({360, -720, 1080}), identity);
  EXPECT_EQ(rotation_matrix({0, 180, 0}), rotation_matrix({0, -180, 0}));
  EXPECT_EQ(rotation_matrix({0, 270, 0}), rotation_matrix({0, -90, 0}));
}

TEST(Rotation, IsProperAndOrthogonal) {
  for (double angle : {-70.0, -12.3, 1e-9, 45.0, 133.7}) {
    const Mat3 r = rotation_matrix({angle, 0.7 * angle, -1.3 * angle});
    EXPECT_NEAR(r.determinant(), 1, 1e-14);
    EXPECT_LT((r * r.transpose() - Mat3::Identity()).norm(), 1e-14);
  }
}

TEST(Rotation, CentreIsPixelHalfN) {
  EXPECT_EQ(centre_index(32), 16u);
  EXPECT_EQ(centre_index(33), 16u);
  EXPECT_EQ(centre_index(1), 0u);
}

// Reference values: Kirkland, Advanced Computing in Electron Microscopy (2010), table 2.2 and section 5.
TEST(Units, WavelengthOfTheElectron) {
  EXPECT_NEAR(electron_wavelength_A(100), 0.0370144, 1e-7);
  EXPECT_NEAR(electron_wavelength_A(200), 0.0250793, 1e-7);
  EXPECT_NEAR(electron_wavelength_A(300), 0.0196875, 1e-7);
}

TEST(Units, InteractionConstant) {
  EXPECT_NEAR(interaction_constant_rad_VA(300), 6.5262e-4, 5e-9);
  EXPECT_NEAR(interaction_constant_rad_VA(100), 9.2440e-4, 5e-8);
}

TEST(Units, PotentialConstant) {
  // h² / (2 pi m0 e); Kirkland (2010), eq. C.17 and after.
  EXPECT_NEAR(kPotentialConstant_VA2, 47.878, 1e-3);
}

TEST(Units, DisplacementsAndWidths) {
  // B = 0.3 Å² is 0.0616 Å along each axis.
  EXPECT_NEAR(std::sqrt(mean_square_displacement_A2(0.3)), 0.0616, 5e-5);
  EXPECT_NEAR(sigma_from_fwhm(0.8), 0.8 / 2.354820045, 1e-9);
}

}  // namespace
}  // namespace aetos
