#include "aetos/tomography/pose.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "aetos/core/units.hpp"
#include "phantoms.hpp"

namespace aetos {
namespace {

using namespace test;
using tomography::make_projector;
using tomography::Pose;
using tomography::PoseStep;
using tomography::Projector;

constexpr std::array<double, 3> kOversampling{3, 3, 3};
const std::vector<EulerAngles> kGeneral{{10, 20, 30}, {-3, -71, 2}, {0, 0, 40}, {45, 45, 45}, {1, 130, -1}};

/// Gaussian balls, and their projections, which are Gaussians too: an oracle without voxels.
struct Balls {
  std::vector<Vec3> places;
  double sigma = 1.6;

  Array<float, 3> volume(const Geometry& g) const {
    Array<float, 3> u = empty_volume(g);
    for (std::size_t z = 0; z < u.extent(0); ++z)
      for (std::size_t x = 0; x < u.extent(1); ++x)
        for (std::size_t y = 0; y < g.volume_px[1]; ++y)
          for (const Vec3& place : places) {
            const Vec3 r(static_cast<double>(x) - static_cast<double>(g.volume_px[2] / 2),
                         static_cast<double>(y) - static_cast<double>(g.volume_px[1] / 2),
                         static_cast<double>(z) - static_cast<double>(g.volume_px[0] / 2));
            u(z, x, y) += static_cast<float>(std::exp(-(r - place).squaredNorm() / (2 * sigma * sigma)));
          }
    return u;
  }
  Array<float, 2> image(const Geometry& g, const EulerAngles& angles, double shift_u, double shift_v) const {
    Array<float, 2> out({g.nu, padded_rows(g.nv)});
    const Mat3 rotation = rotation_matrix(angles);
    for (const Vec3& place : places) {
      const Vec3 seen = to_beam_frame(rotation, place);
      for (std::size_t u = 0; u < g.nu; ++u)
        for (std::size_t v = 0; v < g.nv; ++v) {
          const double du = static_cast<double>(u) - static_cast<double>(g.nu / 2) - seen.x() - shift_u;
          const double dv = static_cast<double>(v) - static_cast<double>(g.nv / 2) - seen.y() - shift_v;
          out(u, v) += static_cast<float>(sigma * std::sqrt(2 * kPi) *
                                          std::exp(-(du * du + dv * dv) / (2 * sigma * sigma)));
        }
    }
    return out;
  }
};

Balls some_balls() {
  Balls balls;
  for (std::uint32_t i = 0; i < 30; ++i) {
    const auto place = random::uniform4(5, random::Domain::test, {i, 0, 0});
    balls.places.emplace_back(16 * place[0] - 8, 16 * place[1] - 8, 16 * place[2] - 8);
  }
  return balls;
}

TEST(VoxelProjectorTest, PairIsAdjointForAnyAnglesAndUnequalSizes) {
  const Geometry g{{13, 21, 18}, 19, 27, kGeneral};
  expect_adjoint(*make_projector(g, Projector::real_space, kOversampling), g);
}

TEST(FourierVolumeTest, HasAnExactAdjoint) {
  for (const std::array<double, 3> oversampling : {std::array{2.0, 2.0, 2.0}, {1.5, 2.5, 1.3}})
    for (const std::size_t n : {17u, 18u}) {
      const Geometry g{{13, 21, n}, 19, 27, kGeneral};
      expect_adjoint(*make_projector(g, Projector::fourier_adjoint, oversampling), g);
    }
}

TEST(VoxelProjectorTest, IsThePlainSeriesProjectorForThetaAlone) {
  Geometry plain = plain_geometry(17, 20, 18, 27, {{0, -71, 0}, {0, 0, 0}, {0, 14.3, 0}, {0, 90, 0}});
  Geometry general = plain;
  general.angles.push_back({0, 0, 5});  // one that is not plain, so that all are taken one by one
  Array<float, 3> x = empty_volume(plain), rows = empty_images(plain), voxels = empty_images(general);
  fill_random(x, 20, 1);
  make_projector(plain, Projector::real_space, kOversampling)->forward(x, 0, rows);
  make_projector(general, Projector::real_space, kOversampling)->forward(x, 0, voxels);
  for (std::size_t p = 0; p < plain.angles.size(); ++p)
    for (std::size_t u = 0; u < 27; ++u)
      for (std::size_t v = 0; v < 20; ++v) ASSERT_NEAR(voxels(p, u, v), rows(p, u, v), 2e-4) << p;
}

TEST(VoxelProjectorTest, BallsFallWhereTheRotationSays) {
  const Balls balls = some_balls();
  const Geometry g{{32, 33, 32}, 33, 32, kGeneral};
  Array<float, 3> images = empty_images(g);
  make_projector(g, Projector::real_space, kOversampling)->forward(balls.volume(g), 0, images);
  for (std::size_t p = 0; p < g.angles.size(); ++p) {
    const auto expected = balls.image(g, g.angles[p], 0, 0);
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      difference += std::pow(static_cast<double>(images[p].data()[i]) - expected.data()[i], 2);
      norm += std::pow(static_cast<double>(expected.data()[i]), 2);
    }
    // Splatting blurs by about a third of a pixel: sigma 1.6 becomes 1.66.
    EXPECT_LT(std::sqrt(difference / norm), 0.08) << p;
  }
}

TEST(PoseTest, AnglesComeBackFromTheirRotation) {
  for (const EulerAngles& a : {EulerAngles{10, 20, 30}, {-3, -71, 2}, {0, 130, 0}, {1, 177, -2}}) {
    const auto found =
        tomography::euler_angles(rotation_matrix(a), {a.phi_deg + 1, a.theta_deg - 1, a.psi_deg});
    EXPECT_NEAR(found.phi_deg, a.phi_deg, 1e-9);
    EXPECT_NEAR(found.theta_deg, a.theta_deg, 1e-9);
    EXPECT_NEAR(found.psi_deg, a.psi_deg, 1e-9);
  }
}

TEST(PoseTest, AStepIsUndoneByTheStepBetween) {
  const Pose pose{{3, -40, 2}, 0.5, -0.25};
  const PoseStep step{0.01, -0.02, 0.005, 0.3, -0.4};
  const auto found = tomography::step_between(pose, tomography::moved(pose, step));
  for (std::size_t i = 0; i < step.size(); ++i) EXPECT_NEAR(found[i], step[i], 1e-9) << i;
}

TEST(PoseTest, StepsLeadToTheViewThatTheImageWasTakenFrom) {
  const Balls balls = some_balls();
  for (const EulerAngles& angles : {EulerAngles{0, 0, 0}, {0, -60, 0}, {10, 35, -20}}) {
    const EulerAngles taken{angles.phi_deg + 1, angles.theta_deg - 1.5, angles.psi_deg + 1};
    const Geometry g{{32, 32, 32}, 32, 32, {taken}};
    const auto volume = balls.volume(g);
    Array<float, 3> measured = empty_images(g);
    make_projector(g, Projector::real_space, kOversampling)->forward(volume, 0, measured);
    Pose pose{angles, 0, 0};
    tomography::PoseFitter fitter(g, 0);
    for (int round = 0; round < 5; ++round)
      pose = tomography::moved(pose, fitter.fit(volume, pose, measured[0]).step);
    const auto left = tomography::step_between({taken, 0, 0}, pose);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_LT(std::abs(left[i]) * 180 / kPi, 0.02) << i;
    for (std::size_t i = 3; i < 5; ++i) EXPECT_LT(std::abs(left[i]), 0.005) << i;
  }
}

TEST(PoseTest, AShiftIsTheOneThatBringsTheImageBack) {
  const Balls balls = some_balls();
  const Geometry g{{32, 32, 32}, 32, 32, {{0, 20, 0}}};
  const auto volume = balls.volume(g);
  // An image of the same thing, 0.7 pixels further along u and 0.4 less along v: it must go the other way.
  const auto fit =
      tomography::PoseFitter(g, 0).fit(volume, {g.angles[0], 0, 0}, balls.image(g, g.angles[0], 0.7, -0.4));
  const Pose pose = tomography::moved({g.angles[0], 0, 0}, fit.step);
  EXPECT_NEAR(pose.shift_u, -0.7, 0.08);
  EXPECT_NEAR(pose.shift_v, 0.4, 0.08);
  for (double sigma : fit.sigma) EXPECT_GT(sigma, 0);
}

TEST(PoseTest, AnEmptyImageMovesNothing) {
  const Geometry g{{24, 24, 24}, 24, 24, {{0, 0, 0}}};
  tomography::PoseFitter fitter(g, 0);
  const auto fit = fitter.fit(some_balls().volume(g), {{0, 10, 0}, 0, 0}, Array<float, 2>({24, 32}));
  EXPECT_EQ(fit.step, PoseStep{});
}

TEST(PoseTest, WhatNoProjectionTellsIsTakenAway) {
  const auto nominal = tilts(-60, 60, 20);
  std::vector<Pose> poses;
  const Mat3 together = rotation_matrix({1, 2, -1});
  const Vec3 displaced(0.7, -0.3, 0.5);
  for (const EulerAngles& angles : nominal) {
    const Mat3 rotation = together * rotation_matrix(angles);
    poses.push_back({tomography::euler_angles(rotation, angles), rotation.col(0).dot(displaced),
                     rotation.col(1).dot(displaced)});
  }
  tomography::fix_gauge(nominal, poses);
  for (std::size_t p = 0; p < poses.size(); ++p) {
    const auto left = tomography::step_between({nominal[p], 0, 0}, poses[p]);
    for (double each : left) EXPECT_NEAR(each, 0, 1e-6);
  }
}

}  // namespace
}  // namespace aetos
