#include "aetos/imaging/bad_pixels.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/median.hpp"

namespace aetos::imaging {
namespace {

constexpr double kHotSigmas = 8;
constexpr double kSmallestSigma = 0.25;

/// Finite neighbours of a pixel, itself left out.
void neighbours(View<const float, 2> image, std::size_t row, std::size_t column,
                std::vector<double>& values) {
  values.clear();
  const auto low = [](std::size_t i) { return i < kBadPixelReach ? 0 : i - kBadPixelReach; };
  for (std::size_t v = low(row); v < std::min(row + kBadPixelReach + 1, image.extent(0)); ++v)
    for (std::size_t u = low(column); u < std::min(column + kBadPixelReach + 1, image.extent(1)); ++u)
      if ((v != row || u != column) && std::isfinite(image(v, u))) values.push_back(image(v, u));
}

double mean_of_finite(View<const float, 2> image) {
  double total = 0, pixels = 0;
  for (float value : image)
    if (std::isfinite(value)) {
      total += std::abs(static_cast<double>(value));
      pixels += 1;
    }
  return pixels > 0 ? total / pixels : 0;
}

}  // namespace

MendedPixel mend_pixel(View<const float, 2> image, std::size_t row, std::size_t column, double mean,
                       std::vector<double>& work) {
  const float value = image(row, column);
  const bool finite = std::isfinite(value);
  if (finite && value <= kHotSigmas * kSmallestSigma * mean) return {value, false};
  neighbours(image, row, column, work);
  if (work.empty()) return finite ? MendedPixel{value, false} : MendedPixel{0.0F, true};
  const double centre = upper_median(work);
  if (finite) {
    for (double& v : work) v = std::abs(v - centre);
    const double sigma = std::max(1.4826 * upper_median(work), kSmallestSigma * mean);
    if (value - centre <= kHotSigmas * sigma) return {value, false};
  }
  return {static_cast<float>(centre), true};
}

MendedImage mend_bad_pixels(View<const float, 2> image) {
  MendedImage mended{Array<float, 2>(image.shape())};
  const double mean = mean_of_finite(image);
  std::vector<double> work;
  for (std::size_t row = 0; row < image.extent(0); ++row)
    for (std::size_t column = 0; column < image.extent(1); ++column) {
      const auto pixel = mend_pixel(image, row, column, mean, work);
      mended.image(row, column) = pixel.value;
      mended.replaced += pixel.replaced;
    }
  return mended;
}

}  // namespace aetos::imaging
