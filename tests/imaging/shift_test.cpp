#include "aetos/imaging/shift.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "aetos/imaging/alignment.hpp"
#include "aetos/imaging/background.hpp"
#include "aetos/imaging/bad_pixels.hpp"

namespace aetos::imaging {
namespace {

Array<float, 2> blob(std::size_t ny, std::size_t nx, double cy, double cx, double sigma, double height = 1) {
  Array<float, 2> image({ny, nx});
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x)
      image(y, x) = static_cast<float>(height * std::exp(-(std::pow(static_cast<double>(y) - cy, 2) +
                                                           std::pow(static_cast<double>(x) - cx, 2)) /
                                                         (2 * sigma * sigma)));
  return image;
}

TEST(ShiftImage, MovesTowardsLargerIndicesBySubpixels) {
  const auto moved = shift_image(blob(40, 51, 20, 25, 2.5), {1.3, -2.6});
  const auto expected = blob(40, 51, 21.3, 22.4, 2.5);
  for (std::size_t i = 0; i < moved.size(); ++i) EXPECT_NEAR(moved.data()[i], expected.data()[i], 2e-6);
}

TEST(ShiftImage, NothingWrapsRoundFromABrightBorder) {
  Array<float, 2> image({32, 32});
  for (std::size_t y = 0; y < 32; ++y) image(y, 31) = 1;
  for (double by : {5.0, 4.7}) {
    const auto moved = shift_image(image, {0, by});
    for (std::size_t y = 0; y < 32; ++y)
      for (std::size_t x = 0; x < 5; ++x) EXPECT_EQ(moved(y, x), x == 4 && by < 5 ? moved(y, x) : 0);
  }
  const auto back = shift_image(image, {0, -5});
  for (std::size_t y = 0; y < 32; ++y) {
    EXPECT_EQ(back(y, 26), 1);
    for (std::size_t x = 27; x < 32; ++x) EXPECT_EQ(back(y, x), 0);
  }
}

TEST(ShiftImage, WholePixelsAreCopiedAndFarShiftsLeaveNothing) {
  const auto image = blob(17, 20, 8, 8, 1.5);
  const auto moved = shift_image(image, {3, -2});
  EXPECT_EQ(moved(11, 6), image(8, 8));
  for (float v : shift_image(image, {0, 20})) EXPECT_EQ(v, 0);
}

TEST(Displacement, OfImagesAndCurvesIsFoundBetweenPixels) {
  const Shift found = displacement(blob(48, 40, 20, 20, 3), blob(48, 40, 24.37, 17.81, 3));
  EXPECT_NEAR(found.y, 4.37, 1e-3);
  EXPECT_NEAR(found.x, -2.19, 1e-3);
  std::vector<double> a(64), b(64);
  for (std::size_t i = 0; i < 64; ++i) {
    a[i] = std::exp(-std::pow(static_cast<double>(i) - 30, 2) / 18);
    b[i] = std::exp(-std::pow(static_cast<double>(i) - 33.25, 2) / 18);
  }
  EXPECT_NEAR(displacement(a, b), 3.25, 1e-3);
}

TEST(CommonLine, BringsCurvesOntoOneAnother) {
  std::vector<std::vector<double>> curves;
  const std::vector<double> truth{0, 1.5, -3.2, 0.7, 1.0};
  for (double shift : truth) {
    std::vector<double> curve(80);
    for (std::size_t i = 0; i < 80; ++i) {
      const double y = static_cast<double>(i) - 40 - shift;
      curve[i] = (1 + truth[1] - shift) * (std::exp(-y * y / 50) + 0.5 * std::exp(-std::pow(y - 9, 2) / 8));
    }
    curves.push_back(curve);
  }
  curves.emplace_back();  // an image without intensity
  const auto shifts = common_line_shifts(curves);
  for (std::size_t i = 0; i < truth.size(); ++i) EXPECT_NEAR(shifts[i], -truth[i], 1e-3);
  EXPECT_EQ(shifts.back(), 0);
}

TEST(Background, TheObjectIsTakenOffNothing) {
  auto image = blob(80, 90, 40, 45, 8);
  for (std::size_t y = 0; y < 80; ++y)
    for (std::size_t x = 0; x < 90; ++x)
      image(y, x) += static_cast<float>(0.3 + 0.002 * (static_cast<double>(y) - 40) -
                                        0.001 * (static_cast<double>(x) - 45));
  const auto object = object_mask(image);
  EXPECT_EQ(object(40, 45), 1);
  EXPECT_EQ(object(2, 2), 0);
  const Plane plane = fit_background_plane(image, object);
  EXPECT_NEAR(plane.a, 0.3, 0.01);
  EXPECT_NEAR(plane.b, 0.002, 2e-4);
  EXPECT_NEAR(plane.c, -0.001, 2e-4);
  const auto place = locate_object(blob(80, 90, 41.5, 44.25, 8));
  EXPECT_NEAR(place.y, 1.5, 0.01);
  EXPECT_NEAR(place.x, -0.75, 0.01);
  keep_object(image, object, mean_background(image, object));
  EXPECT_EQ(image(0, 0), 0);
}

TEST(Background, FlatAndEmptyImagesAreNoTrouble) {
  Array<float, 2> flat({20, 20});
  EXPECT_EQ(otsu_threshold(flat), 0);
  EXPECT_EQ(locate_object(flat).total, 0);
  for (float& v : flat) v = 2;
  const Plane plane = fit_background_plane(flat, object_mask(flat));
  EXPECT_NEAR(plane.a, 2, 1e-6);
  Array<std::uint8_t, 2> all({20, 20});
  std::fill(all.begin(), all.end(), std::uint8_t{1});
  EXPECT_EQ(fit_background_plane(flat, all).a, 0);
}

TEST(BadPixels, UndefinedAndHotOnesAreReplaced) {
  auto image = blob(30, 30, 15, 15, 6, 100);
  image(15, 15) = std::nanf("");
  image(4, 20) = 1e6F;
  image(0, 0) = INFINITY;
  const auto mended = mend_bad_pixels(image);
  EXPECT_EQ(mended.replaced, 3u);
  EXPECT_NEAR(mended.image(15, 15), 97, 4);
  EXPECT_LT(mended.image(4, 20), 100);
}

}  // namespace
}  // namespace aetos::imaging
