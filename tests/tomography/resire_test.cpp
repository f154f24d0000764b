#include "aetos/tomography/resire.hpp"
#include "aetos/core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "aetos/tomography/support.hpp"
#include "phantoms.hpp"

namespace aetos {
namespace {

using namespace test;
using tomography::Projector;

/// Projections of a few bright voxels in 40 columns.
struct Series {
  Geometry g = plain_geometry(40, 9, 40, 40, tilts(-66, 66, 12));
  Array<float, 3> truth = empty_volume(g), images = empty_images(g);

  explicit Series(Projector kind) {
    for (std::size_t i = 0; i < 9; ++i) truth(14 + i, 25 - i, i) = truth(20, 12 + 2 * i, i) = 5;
    tomography::make_projector(g, kind, {3, 3, 3})->forward(truth, 0, images);
  }
};

TEST(ResireTest, RStartsAtOneAndFalls) {
  for (Projector kind : {Projector::fourier, Projector::real_space}) {
    const Series series(kind);
    const auto result = run_resire(series.g, kind, series.images, 40, 1);
    EXPECT_DOUBLE_EQ(result.r_history[0], 1);
    for (std::size_t i = 1; i < result.r2_history.size(); ++i)
      EXPECT_LT(result.r2_history[i], result.r2_history[i - 1]);
    EXPECT_GE(*std::min_element(result.volume.begin(), result.volume.end()), 0);
  }
}

TEST(ResireTest, OrderOfTheSeriesDoesNotMatter) {
  const Series series(Projector::fourier);
  Geometry shuffled = series.g;
  Array<float, 3> images = empty_images(series.g);
  const std::size_t n = series.g.angles.size(), size = images.size() / n;
  for (std::size_t p = 0; p < n; ++p) {
    const std::size_t from = (5 * p + 3) % n;
    shuffled.angles[p] = series.g.angles[from];
    std::copy_n(series.images.data() + from * size, size, images.data() + p * size);
  }
  const auto a = run_resire(series.g, Projector::fourier, series.images, 20);
  const auto b = run_resire(shuffled, Projector::fourier, images, 20);
  EXPECT_LT(relative_difference(b.volume, a.volume), 1e-6);
  for (std::size_t p = 0; p < n; ++p) EXPECT_NEAR(b.factors.r1[p], a.factors.r1[(5 * p + 3) % n], 1e-6);
}

TEST(ResireTest, TwoImagesAtOneAngleAreBothUsed) {
  Geometry g = plain_geometry(16, 1, 16, 16, {{0, 0, 0}, {0, 360, 0}});
  Array<float, 3> images = empty_images(g);
  for (std::size_t u = 0; u < 16; ++u) {
    images(0, u, 0) = 10;
    images(1, u, 0) = 30;
  }
  const auto result = run_resire(g, Projector::real_space, images, 100, 1);
  double column = 0;
  for (std::size_t z = 0; z < 16; ++z) column += result.volume(z, 8, 0);
  EXPECT_NEAR(column, 20, 0.01);
}

TEST(ResireTest, EmptyImagesGiveNoRAndAnEmptyVolume) {
  Series series(Projector::fourier);
  std::fill_n(series.images.data(), series.images.size() / series.g.angles.size(), 0.0F);
  const auto one = run_resire(series.g, Projector::fourier, series.images, 5);
  EXPECT_TRUE(std::isnan(one.factors.r1[0]));
  EXPECT_TRUE(std::isfinite(one.factors.mean_r1));
  EXPECT_TRUE(std::all_of(one.volume.begin(), one.volume.end(), [](float v) { return std::isfinite(v); }));

  const Array<float, 3> nothing = empty_images(series.g);
  const auto all = run_resire(series.g, Projector::fourier, nothing, 5);
  EXPECT_TRUE(std::isnan(all.factors.mean_r1));
  EXPECT_TRUE(std::all_of(all.volume.begin(), all.volume.end(), [](float v) { return v == 0; }));
}

TEST(ResireTest, ImagesOf40By64Pixels) {
  const Geometry g = plain_geometry(64, 40, 64, 64, tilts(-60, 60, 30));
  Array<float, 3> truth = empty_volume(g), images = empty_images(g);
  truth(30, 20, 35) = 1;
  tomography::make_projector(g, Projector::fourier, {2, 2, 2})->forward(truth, 0, images);
  const auto result = run_resire(g, Projector::fourier, images, 10, 2, {2, 2, 2});
  const auto top = std::max_element(result.volume.begin(), result.volume.end()) - result.volume.begin();
  EXPECT_EQ(static_cast<std::size_t>(top), (30u * 64 + 20) * 48 + 35);
}

TEST(ResireTest, MomentumReachesALowerR) {
  const Series series(Projector::real_space);
  const Geometry& g = series.g;
  const auto projector = tomography::make_projector(g, Projector::real_space, {3, 3, 3});
  Array<float, 3> u = empty_volume(g), point = empty_volume(g), residual = empty_images(g),
                  gradient = empty_volume(g);
  Array<tomography::RowSums, 2> sums({g.angles.size(), g.nv});
  tomography::Momentum momentum;
  double r = 1;
  for (int i = 0; i < 40; ++i) {
    projector->forward(point, 0, residual);
    tomography::subtract_measured(residual, series.images, sums);
    const auto factors = tomography::r_factors(sums);
    r = factors.mean_r1;
    projector->back(residual, 0, gradient);
    tomography::accelerated_step(u, point, 0, gradient, tomography::step_length(1, g.angles.size(), 40),
                                 momentum.next(factors.objective), {});
  }
  EXPECT_LT(r, 0.5 * run_resire(g, Projector::real_space, series.images, 40).r_history.back());
}

TEST(ResireTest, NothingGrowsOutsideTheSupport) {
  const Series series(Projector::real_space);
  Array<std::uint8_t, 3> inside({40, 40, 16});
  for (std::size_t i = 0; i < inside.size(); i += 3) inside.data()[i] = 1;
  Array<float, 3> u = empty_volume(series.g), gradient = empty_volume(series.g);
  std::fill(gradient.begin(), gradient.end(), -1.0F);
  tomography::gradient_step(u, 0, gradient, 0.5, {true, inside});
  for (std::size_t i = 0; i < u.size(); ++i) ASSERT_EQ(u.data()[i], inside.data()[i] ? 0.5F : 0.0F);
}

TEST(SupportTest, HullHoldsTheObjectAndLeavesOutEmptySpace) {
  const Series series(Projector::real_space);
  const auto largest = tomography::largest_means(series.images, 9, 5);
  const auto inside = tomography::visual_hull(series.g, series.images, 9, 5, largest, 0, 9);
  std::size_t count = 0;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (i % 16 < 9) count += inside.data()[i];
    if (series.truth.data()[i] > 0) {
      EXPECT_EQ(inside.data()[i], 1);
    }
  }
  EXPECT_LT(count, 40u * 40 * 9 / 3);
}

TEST(SupportTest, HullOfAFewElectronsAPixelStillHoldsTheObject) {
  const Series series(Projector::real_space);
  float brightest = 0;
  for (const float v : series.images) brightest = std::max(brightest, v);
  auto counts = empty_images(series.g);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double mean = 6 * static_cast<double>(series.images.data()[i] / brightest);
    counts.data()[i] = static_cast<float>(random::poisson(mean, 3, random::Domain::test, {0, 0, i}));
  }
  const auto count_lost = [&](std::size_t mean) {
    const auto largest = tomography::largest_means(counts, 9, mean);
    const auto inside = tomography::visual_hull(series.g, counts, 9, mean, largest, 0, 9);
    std::size_t lost = 0, held = 0;
    for (std::size_t i = 0; i < inside.size(); ++i)
      if (series.truth.data()[i] > 0) lost += !inside.data()[i], held += inside.data()[i];
    return static_cast<double>(lost) / static_cast<double>(lost + held);
  };
  const std::size_t mean = tomography::support_mean(tomography::pixel_sums(counts, 9), 40);
  EXPECT_GT(mean, tomography::kSupportMean);
  EXPECT_LT(count_lost(mean), 0.01);
  EXPECT_GT(count_lost(tomography::kSupportMean), 0.05);
}

}  // namespace
}  // namespace aetos
