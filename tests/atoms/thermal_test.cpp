#include "aetos/atoms/thermal.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "aetos/core/error.hpp"

namespace aetos::atoms {
namespace {

Structure zirconia(std::size_t n) {
  Structure s;
  s.position.assign(n, Vec3::Zero());
  s.atomic_number.assign(n, 40);
  for (std::size_t i = 1; i < n; i += 2) s.atomic_number[i] = 8;
  return s;
}

TEST(Thermal, MeanSquareDisplacementIsBOver8PiSquared) {
  const Structure s = zirconia(60000);
  ThermalOptions options;
  options.debye_waller_B_A2 = std::map<std::string, double>{{"Zr", 0.3}, {"O", 0.6}};
  const auto model = thermal_model(s, options);
  EXPECT_NEAR(model.rms_A[0], 0.0616, 5e-5);
  Vec3 square[2] = {Vec3::Zero(), Vec3::Zero()}, mean = Vec3::Zero();
  double cross = 0, successive = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const Vec3 u = model.displacement(5, 2, 1, i), other = model.displacement(5, 2, 2, i);
    square[i % 2] += u.cwiseProduct(u);
    mean += u;
    cross += u.x() * u.y() + u.y() * u.z();
    successive += u.dot(other);
  }
  const double n = static_cast<double>(s.size()) / 2;
  for (int axis = 0; axis < 3; ++axis) {
    // 30,000 samples: the estimate itself scatters by 0.8 %; both axes together are held to the 1 % asked for
    // below.
    EXPECT_NEAR(square[0][axis] / n, 0.3 / 78.9568, 0.025 * 0.3 / 78.9568);
    EXPECT_NEAR(square[1][axis] / n, 0.6 / 78.9568, 0.025 * 0.6 / 78.9568);
  }
  EXPECT_NEAR(square[0].sum() / (3 * n), 0.3 / 78.9568, 0.01 * 0.3 / 78.9568);
  EXPECT_NEAR(square[1].sum() / (3 * n), 0.6 / 78.9568, 0.01 * 0.6 / 78.9568);
  EXPECT_LT(mean.norm() / (2 * n), 0.001);
  EXPECT_LT(std::abs(cross) / (2 * n), 1e-4);
  EXPECT_LT(std::abs(successive) / (2 * n), 1e-4);
}

TEST(Thermal, ABadDescriptionNamesItsKey) {
  const Structure s = zirconia(4);
  ThermalOptions both;
  both.debye_waller_B_A2 = 0.3;
  both.rms_displacement_A = 0.06;
  EXPECT_THROW(thermal_model(s, both), InputError);
  ThermalOptions lacks;
  lacks.debye_waller_B_A2 = std::map<std::string, double>{{"Zr", 0.3}};
  try {
    thermal_model(s, lacks);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("O"), std::string::npos);
    EXPECT_EQ(e.place(), "specimen.thermal.debye_waller_B_A2");
  }
  ThermalOptions negative;
  negative.rms_displacement_A = -0.1;
  EXPECT_THROW(thermal_model(s, negative), InputError);
}

TEST(Thermal, StillAtomsNeedOneConfiguration) {
  ThermalOptions options;
  options.debye_waller_B_A2 = 0.0;
  options.frozen_phonons = 4;
  const auto model = thermal_model(zirconia(4), options);
  EXPECT_EQ(model.configurations, 1u);
  ASSERT_EQ(model.warnings.size(), 1u);
  EXPECT_EQ(model.displacement(1, 0, 0, 0), Vec3::Zero());
  options.debye_waller_B_A2 = 0.3;
  EXPECT_EQ(thermal_model(zirconia(4), options).configurations, 4u);
  EXPECT_NE(describe(thermal_model(zirconia(4), options), zirconia(4)).find("0.0616"), std::string::npos);
}

TEST(Thermal, ATensorOfEachAtomGivesItsCovariance) {
  const std::size_t n = 60000;
  Structure s = zirconia(n);
  std::vector<double> u;
  const double tensor[] = {0.01, 0.004, 0.006, 0.003, -0.001, 0.002};  // U11 U22 U33 U12 U13 U23
  for (std::size_t i = 0; i < n; ++i) u.insert(u.end(), std::begin(tensor), std::end(tensor));
  s.columns["u_a2"] = {u, 6};
  const auto model = thermal_model(s, {});
  EXPECT_NEAR(model.rms_A[0], std::sqrt(0.02 / 3), 1e-12);
  Mat3 covariance = Mat3::Zero();
  for (std::size_t i = 0; i < n; ++i) {
    const Vec3 d = model.displacement(3, 0, 0, i);
    covariance += d * d.transpose() / static_cast<double>(n);
  }
  Mat3 expected;
  expected << 0.01, 0.003, -0.001, 0.003, 0.004, 0.002, -0.001, 0.002, 0.006;
  EXPECT_LT((covariance - expected).cwiseAbs().maxCoeff(), 1.5e-4);
}

TEST(Thermal, AColumnCountsWhereTheConfigIsSilent) {
  Structure s = zirconia(3);
  s.columns["debye_waller_b_a2"] = {std::vector<double>{0.3, 0, 1.2}, 1};
  EXPECT_NEAR(thermal_model(s, {}).rms_A[2], 2 * 0.061640, 1e-5);
  ThermalOptions given;
  given.rms_displacement_A = 0.05;
  const auto model = thermal_model(s, given);
  EXPECT_EQ(model.rms_A[1], 0.05);
  EXPECT_EQ(model.warnings.size(), 1u);
  s.columns["u_a2"] = {std::vector<double>{1, 2, 3}, 1};
  EXPECT_THROW(thermal_model(s, {}), InputError);
  s.columns.erase("debye_waller_b_a2");
  s.columns["u_a2"] = {std::vector<double>{0.01, -0.01, 0}, 1};
  EXPECT_THROW(thermal_model(s, {}), InputError);
  s.columns["u_a2"] = {std::vector<double>{1, 1, 1, 2, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0}, 6};
  EXPECT_THROW(thermal_model(s, {}), InputError);  // a negative principal value
}

TEST(Thermal, SnapshotsAreTakenInTurn) {
  Structure s = zirconia(2);
  s.position = {Vec3(0.1, 0, 0), Vec3(9.9, 0, 0)};
  s.cell = Cell{10 * Mat3::Identity(), {true, false, false}};
  std::vector<Structure> frames(3, s);
  frames[1].position[0] += Vec3(0, 0.2, 0);
  frames[2].position[1].x() = 0.1;  // across the cell's border
  const auto snapshots = snapshots_of(s, frames, "md.extxyz");
  EXPECT_NEAR(snapshots[2][1].x(), 0.2, 1e-12);
  const auto all = thermal_model(s, {}, snapshots);
  EXPECT_EQ(all.configurations, 3u);
  ThermalOptions two;
  two.frozen_phonons = 2;
  const auto model = thermal_model(s, two, snapshots);
  EXPECT_EQ(model.displacement(1, 1, 0, 1), snapshots[2][1]);
  EXPECT_EQ(model.displacement(1, 1, 1, 1), snapshots[0][1]);
  EXPECT_EQ(model.displacement(1, 0, 0, 2), Vec3::Zero());  // a film's atom
  two.frozen_phonons = 4;
  EXPECT_THROW(thermal_model(s, two, snapshots), InputError);

  const auto refused = [&](auto spoil) {
    auto bad = frames;
    spoil(bad[1]);
    try {
      snapshots_of(s, bad, "md.extxyz");
    } catch (const InputError& e) {
      return e.place();
    }
    return std::string("no error");
  };
  EXPECT_EQ(refused([](Structure& f) { f.position.pop_back(), f.atomic_number.pop_back(); }), "md.extxyz:5");
  EXPECT_EQ(refused([](Structure& f) { f.atomic_number[1] = 40; }), "md.extxyz:8");
  EXPECT_EQ(refused([](Structure& f) { f.position[0].y() = std::nan(""); }), "md.extxyz:7");
}

}  // namespace
}  // namespace aetos::atoms
