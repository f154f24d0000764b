#include "aetos/tracing/peaks.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "aetos/core/random.hpp"

namespace aetos::tracing {
namespace {

struct Blob {
  Vec3 centre;  // z, y, x in voxels
  double height, sigma;
};

Array<float, 3> volume_of(const Shape<3>& shape, const std::vector<Blob>& blobs, double background = 0) {
  Array<float, 3> v(shape);
  for (std::size_t z = 0; z < shape[0]; ++z)
    for (std::size_t y = 0; y < shape[1]; ++y)
      for (std::size_t x = 0; x < shape[2]; ++x) {
        double sum = background;
        for (const auto& b : blobs) {
          const Vec3 at(static_cast<double>(z), static_cast<double>(y), static_cast<double>(x));
          sum += b.height * std::exp(-(at - b.centre).squaredNorm() / (2 * b.sigma * b.sigma));
        }
        v(z, y, x) = static_cast<float>(sum);
      }
  return v;
}

Slab whole(const Array<float, 3>& v) {
  return {v.view(), 0, v.shape()};
}

std::vector<Maximum> maxima_of(const Array<float, 3>& v, float floor, std::size_t* plateaus = nullptr) {
  std::size_t count = 0;
  auto maxima = local_maxima(whole(v), {0, v.extent(0)}, floor, count);
  if (plateaus) *plateaus = count;
  return maxima;
}

TEST(Peaks, a_gaussian_is_found_to_a_thousandth_of_a_voxel) {
  const Vec3 centre(10.37, 9.81, 11.23);
  const auto v = volume_of({20, 21, 22}, {{centre, 5.0, 1.1}}, 0.25);
  const auto maxima = maxima_of(v, 1);
  ASSERT_EQ(maxima.size(), 1u);
  const Peak p = fit_peak(whole(v), whole(v), maxima[0], {});
  ASSERT_EQ(p.fit, PeakFit::gaussian);
  for (std::size_t a = 0; a < 3; ++a) EXPECT_NEAR(p.centre[a], centre(static_cast<Eigen::Index>(a)), 1e-3);
  EXPECT_NEAR(p.height, 5, 1e-3);
  EXPECT_NEAR(p.sigma, 1.1, 1e-3);
  EXPECT_NEAR(p.background, 0.25, 1e-3);
  EXPECT_LT(p.residual, 1e-4);
}

TEST(Peaks, the_box_takes_voxels_at_its_faces_by_their_share) {
  Array<float, 3> v({20, 20, 20});
  for (float& value : v) value = 2;
  v(10, 10, 10) = 3;
  PeakOptions options;
  options.integration = 2.25;
  const Peak p = fit_peak(whole(v), whole(v), {{10, 10, 10}, {10, 10, 10}, 3}, options);
  EXPECT_NEAR(p.integrated, 2 * 4.5 * 4.5 * 4.5 + 1, 1e-6);
}

TEST(Peaks, a_plateau_of_equal_voxels_is_one_maximum_at_its_centre) {
  Array<float, 3> v({16, 16, 16});
  for (std::size_t z = 6; z < 9; ++z)
    for (std::size_t y = 5; y < 8; ++y)
      for (std::size_t x = 7; x < 10; ++x) v(z, y, x) = 1;
  const auto maxima = maxima_of(v, 0);
  ASSERT_EQ(maxima.size(), 1u);
  EXPECT_EQ(maxima[0].centre, (std::array<double, 3>{7, 6, 8}));
  // The search smooths first; the answer is the same.
  const auto smoothed = smooth(whole(v), 0.7);
  const auto after = maxima_of(smoothed, 0);
  ASSERT_EQ(after.size(), 1u);
  const Peak p = fit_peak(whole(v), whole(smoothed), after[0], {});
  EXPECT_NEAR(p.centre[0], 7, 0.01);
  EXPECT_NEAR(p.centre[1], 6, 0.01);
  EXPECT_NEAR(p.centre[2], 8, 0.01);
}

TEST(Peaks, a_u_shaped_plateau_is_one_maximum) {
  Array<float, 3> v({9, 9, 9});
  for (const auto& [y, x] : {std::pair{3, 3}, {4, 3}, {5, 3}, {5, 4}, {5, 5}, {4, 5}, {3, 5}}) v(4, y, x) = 1;
  EXPECT_EQ(maxima_of(v, 0).size(), 1u);
}

TEST(Peaks, wide_plateaus_and_constant_volumes_are_no_atoms) {
  Array<float, 3> v({24, 24, 24});
  for (std::size_t z = 4; z < 20; ++z)
    for (std::size_t y = 4; y < 20; ++y)
      for (std::size_t x = 4; x < 20; ++x) v(z, y, x) = 1;
  std::size_t plateaus = 0;
  EXPECT_TRUE(maxima_of(v, 0, &plateaus).empty());
  EXPECT_EQ(plateaus, 1u);
  for (float& value : v) value = 1;
  EXPECT_TRUE(maxima_of(v, 0).empty());
}

TEST(Peaks, an_atom_a_voxel_from_the_border_is_fitted) {
  const Vec3 centre(1.2, 0.9, 14.1);
  const auto v = volume_of({16, 16, 16}, {{centre, 1, 1}});
  const auto maxima = maxima_of(v, 0.1f);
  ASSERT_EQ(maxima.size(), 1u);
  const Peak p = fit_peak(whole(v), whole(v), maxima[0], {});
  for (std::size_t a = 0; a < 3; ++a) EXPECT_NEAR(p.centre[a], centre(static_cast<Eigen::Index>(a)), 1e-3);
}

TEST(Peaks, noise_never_leads_a_fit_out_of_its_neighbourhood) {
  Array<float, 3> v({24, 24, 24});
  for (std::size_t i = 0; i < v.size(); ++i)
    v.data()[i] = static_cast<float>(random::normal4(5, random::Domain::test, {0, 0, i})[0]);
  std::size_t failed = 0, all = 0;
  for (const auto& m : maxima_of(v, 1.5f)) {
    const Peak p = fit_peak(whole(v), whole(v), m, {});
    failed += p.fit == PeakFit::failed;
    ++all;
    double moved = 0;
    for (std::size_t a = 0; a < 3; ++a) moved += std::pow(p.centre[a] - m.centre[a], 2);
    EXPECT_LE(std::sqrt(moved), std::sqrt(3.0));
    EXPECT_TRUE(std::isfinite(p.height) && std::isfinite(p.sigma) && std::isfinite(p.integrated));
  }
  EXPECT_GT(all, 50u);
  EXPECT_GT(failed, 0u);
}

TEST(Peaks, a_failed_fit_keeps_the_maximum) {
  Array<float, 3> v({9, 9, 9});
  v(4, 4, 4) = 1;  // one hot voxel: no Gaussian is as narrow
  const Peak p = fit_peak(whole(v), whole(v), {{4, 4, 4}, {4, 4, 4}, 1}, {});
  EXPECT_EQ(p.fit, PeakFit::failed);
  EXPECT_EQ(p.centre, (std::array<double, 3>{4, 4, 4}));
  EXPECT_EQ(p.sigma, 0);
}

TEST(Peaks, smoothing_keeps_a_constant_and_does_not_depend_on_the_slab) {
  Array<float, 3> v({30, 7, 9});
  for (std::size_t i = 0; i < v.size(); ++i)
    v.data()[i] = static_cast<float>(random::uniform4(5, random::Domain::test, {1, 0, i})[0]);
  const auto all = smooth(whole(v), 0.7);
  Array<float, 3> part({14, 7, 9});
  std::copy_n(v.data() + 10 * 63, part.size(), part.data());
  const auto some = smooth({part.view(), 10, v.shape()}, 0.7);
  for (std::size_t z = 3; z < 11; ++z)
    for (std::size_t i = 0; i < 63; ++i) ASSERT_EQ(some.data()[z * 63 + i], all.data()[(z + 10) * 63 + i]);
  for (float& value : v) value = 3;
  for (const float value : smooth(whole(v), 0.7)) ASSERT_NEAR(value, 3, 1e-6);
}

}  // namespace
}  // namespace aetos::tracing
