#include "aetos/imaging/lattice.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/imaging/affine.hpp"
#include "support/silicon_images.hpp"

namespace aetos::imaging {
namespace {

using test::kSilicon_A;
using test::Scan;
using test::silicon;

const Lattice kSilicon110{kSilicon_A / std::sqrt(3.0), kSilicon_A / std::sqrt(3.0), 70.5288};

void expect_near_truth(const LatticeFit& fit, const Scan& truth, double share) {
  const auto& g = fit.geometry;
  EXPECT_NEAR(g.pixel_x_A / truth.pixel_x_A, 1, share);
  EXPECT_NEAR(g.pixel_y_A / truth.pixel_y_A, 1, share);
  EXPECT_NEAR(g.shear, truth.shear, share);
}

TEST(Lattice, SiliconWithoutNoiseIsExactInAnyRotation) {
  for (const double rotation : {0.0, 17.0, 61.0, 133.0}) {
    const Scan truth{0.2, 0.203, 0.02, rotation};
    const auto fit = fit_lattice(silicon(256, truth, {1.3, -2.6}, 0, 1), kSilicon110, 0.21, 0.1, "si");
    expect_near_truth(fit, truth, 2e-4);
    EXPECT_GT(fit.spots.size(), 8u);
    EXPECT_GT(fit.explained, 0.99);
  }
}

TEST(Lattice, ErrorsTellHowFarNoisyImagesAreOff) {
  const Scan truth{0.2, 0.198, -0.02, 23};
  double worst = 0, square_x = 0, square_shear = 0;
  constexpr int kImages = 20;
  for (int i = 0; i < kImages; ++i) {
    const auto fit =
        fit_lattice(silicon(128, truth, {0.3 * i, -0.2 * i}, 3, 100 + static_cast<std::uint64_t>(i)),
                    kSilicon110, 0.2, 0.1, "si");
    expect_near_truth(fit, truth, 6e-3);
    square_x += std::pow((fit.geometry.pixel_x_A - truth.pixel_x_A) / fit.error.pixel_x_A, 2) / kImages;
    square_shear += std::pow((fit.geometry.shear - truth.shear) / fit.error.shear, 2) / kImages;
    worst = std::max(worst, std::abs(fit.geometry.pixel_x_A / truth.pixel_x_A - 1));
  }
  RecordProperty("worst", std::to_string(worst));
  // Standard deviations: their ratio to the stated ones is 1 within what 20 images can tell.
  EXPECT_GT(std::sqrt(square_x), 0.5);
  EXPECT_LT(std::sqrt(square_x), 1.6);
  EXPECT_GT(std::sqrt(square_shear), 0.5);
  EXPECT_LT(std::sqrt(square_shear), 1.6);
}

TEST(Lattice, SmallImagesWithSpotsUpToTheirBorderDoNoHarm) {
  // 40 pixels of 0.7 Å: the first spots lie at 0.22 cycles per pixel, farther ones near the border.
  const Scan truth{0.7, 0.7, 0, 8};
  const auto fit = fit_lattice(silicon(40, truth, {}, 0, 1, 0.6), kSilicon110, 0.7, 0.1, "si");
  expect_near_truth(fit, truth, 5e-3);
}

TEST(Lattice, ObliqueLatticesAreFoundFromEitherSide) {
  // Fringes of two spacings 62 degrees apart, seen from the front and from behind.
  for (const double side : {1.0, -1.0}) {
    const Lattice lattice{2.4, 3.1, 62};
    Array<float, 2> image({200, 220});
    const Lattice turned{2.4, 3.1, side * 62};
    for (std::size_t y = 0; y < 200; ++y)
      for (std::size_t x = 0; x < 220; ++x) {
        const Vec2 r(0.25 * static_cast<double>(x), 0.25 * static_cast<double>(y));
        image(y, x) = static_cast<float>(2 + std::cos(2 * kPi * turned.spot(1, 0).dot(r)) +
                                         std::cos(2 * kPi * turned.spot(0, 1).dot(r)) +
                                         0.5 * std::cos(2 * kPi * turned.spot(1, 1).dot(r)));
      }
    const auto fit = fit_lattice(image, lattice, 0.25, 0.05, "fringes");
    expect_near_truth(fit, {0.25, 0.25, 0}, 5e-4);
  }
}

TEST(Lattice, WhatIsNotThisLatticeIsRefused) {
  const auto refused = [](View<const float, 2> image, const Lattice& lattice, double pixel_A) -> std::string {
    try {
      fit_lattice(image, lattice, pixel_A, 0.05, "cal.mrc");
    } catch (const InputError& e) {
      return e.what();
    }
    return "accepted";
  };
  const auto image = silicon(256, {0.2, 0.2, 0, 10}, {}, 20, 1);
  EXPECT_EQ(refused(image, kSilicon110, 0.2), "accepted");
  const Lattice gold{4.0786 / 2, 4.0786 / 2, 90};
  EXPECT_NE(refused(image, gold, 0.2).find("another lattice"), std::string::npos);
  EXPECT_NE(refused(image, gold, 0.2).find("3.1"), std::string::npos) << refused(image, gold, 0.2);
  EXPECT_NE(refused(image, kSilicon110, 0.3).find("another lattice"), std::string::npos);
  Array<float, 2> flat({128, 128});
  EXPECT_NE(refused(flat, kSilicon110, 0.2).find("no spots"), std::string::npos);
  for (std::size_t i = 0; i < flat.size(); ++i)
    flat.data()[i] = static_cast<float>(random::poisson(20, 5, random::Domain::test, {0, 0, i}));
  EXPECT_NE(refused(flat, kSilicon110, 0.2).find("no spots"), std::string::npos)
      << refused(flat, kSilicon110, 0.2);
  for (std::size_t y = 0; y < 128; ++y)
    for (std::size_t x = 0; x < 128; ++x)
      flat(y, x) = static_cast<float>(1 + std::cos(2 * kPi * 0.2 / 3.1356 * static_cast<double>(x)));
  EXPECT_NE(refused(flat, kSilicon110, 0.2).find("a single spot"), std::string::npos)
      << refused(flat, kSilicon110, 0.2);
}

TEST(Affine, ResamplingUndoesTheScansDistortion) {
  const Scan scan{0.2, 0.206, 0.02, 30}, square{std::sqrt(0.2 * 0.206), std::sqrt(0.2 * 0.206), 0, 30};
  const auto fit = fit_lattice(silicon(256, scan, {128, 128}, 0, 1), kSilicon110, 0.2, 0.1, "si");
  const auto mended = resample(silicon(256, scan, {128, 128}, 0, 1), fit.geometry.square_to_recorded());
  const auto truth = silicon(256, square, {128, 128}, 0, 1);
  for (std::size_t y = 20; y < 236; ++y)
    for (std::size_t x = 20; x < 236; ++x) ASSERT_NEAR(mended(y, x), truth(y, x), 0.01) << y << " " << x;
}

}  // namespace
}  // namespace aetos::imaging
