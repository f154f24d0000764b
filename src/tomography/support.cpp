#include "aetos/tomography/support.hpp"

#include <algorithm>
#include <cmath>

namespace aetos::tomography {
namespace {

/// Mean of the pixels within `reach` of u in row v; at the border, of those that exist.
float mean_at(View<const float, 2> image, std::size_t u, std::size_t v, std::size_t reach) {
  const std::size_t begin = u < reach ? 0 : u - reach, end = std::min(u + reach + 1, image.extent(0));
  float sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += image(i, v);
  return sum / static_cast<float>(end - begin);
}

/// 1 where the mean is above the threshold at a pixel or within `reach` of it along u.
Array<std::uint8_t, 2> seen(View<const float, 2> image, std::size_t rows, float threshold,
                            std::size_t reach) {
  const std::size_t nu = image.extent(0);
  Array<std::uint8_t, 2> result({nu, image.extent(1)});
  for (std::size_t u = 0; u < nu; ++u)
    for (std::size_t v = 0; v < rows; ++v) {
      if (mean_at(image, u, v, reach) <= threshold) continue;
      const std::size_t begin = u < reach ? 0 : u - reach, end = std::min(u + reach + 1, nu);
      for (std::size_t i = begin; i < end; ++i) result(i, v) = 1;
    }
  return result;
}

double centred(std::size_t i, std::size_t n) {
  return static_cast<double>(i) - static_cast<double>(centre_index(n));
}

/// Adds one for every voxel of a plain series' slab at whose place the projection sees nothing.
void count_dissent_of_rows(const Geometry& geometry, std::size_t projection, View<const std::uint8_t, 2> seen,
                           View<std::uint16_t, 3> dissent) {
  const auto [nz, ny, nx] = geometry.volume_px;
  const Mat3 rotation = rotation_matrix(geometry.angles[projection]);
  for (std::size_t z = 0; z < nz; ++z)
    for (std::size_t x = 0; x < nx; ++x) {
      const double place = to_beam_frame(rotation, {centred(x, nx), 0, centred(z, nz)}).x();
      const double u = std::round(place + static_cast<double>(centre_index(geometry.nu)));
      if (u < 0 || u >= static_cast<double>(geometry.nu)) continue;
      const std::uint8_t* pixels = seen[static_cast<std::size_t>(u)].data();
      std::uint16_t* row = &dissent(z, x, 0);
      for (std::size_t y = 0; y < dissent.extent(2); ++y)
        row[y] = static_cast<std::uint16_t>(row[y] + 1 - pixels[y]);
    }
}

/// The same for any Euler angles, on some rows of the volume.
void count_dissent(const Geometry& geometry, std::size_t projection, View<const std::uint8_t, 2> seen,
                   std::size_t first_row, std::size_t held, View<std::uint16_t, 3> dissent) {
  const auto [nz, ny, nx] = geometry.volume_px;
  const Mat3 rotation = rotation_matrix(geometry.angles[projection]);
  for (std::size_t z = 0; z < nz; ++z)
    for (std::size_t x = 0; x < nx; ++x)
      for (std::size_t y = 0; y < held; ++y) {
        const Vec3 place =
            to_beam_frame(rotation, {centred(x, nx), centred(first_row + y, ny), centred(z, nz)});
        const double u = std::round(place.x() + static_cast<double>(centre_index(geometry.nu)));
        const double v = std::round(place.y() + static_cast<double>(centre_index(geometry.nv)));
        if (u < 0 || v < 0 || u >= static_cast<double>(geometry.nu) || v >= static_cast<double>(geometry.nv))
          continue;
        if (!seen(static_cast<std::size_t>(u), static_cast<std::size_t>(v))) ++dissent(z, x, y);
      }
}

}  // namespace

std::vector<PixelSums> pixel_sums(View<const float, 3> images, std::size_t rows) {
  std::vector<PixelSums> sums(rows);
  const std::size_t nu = images.extent(1);
  for (std::size_t p = 0; p < images.extent(0); ++p)
    for (std::size_t u = 0; u < nu; ++u)
      for (std::size_t v = 0; v < rows; ++v) {
        const double x = images(p, u, v);
        sums[v].value += x;
        if (u + 1 < nu) sums[v].step += std::pow(static_cast<double>(images(p, u + 1, v)) - x, 2) / 2;
        if (u + 3 < nu) sums[v].product += static_cast<double>(images(p, u + 3, v)) * x;
      }
  return sums;
}

std::size_t support_mean(const std::vector<PixelSums>& rows, std::size_t image_width) {
  PixelSums all;
  for (const PixelSums& row : rows) {
    all.value += row.value;
    all.step += row.step;
    all.product += row.product;
  }
  if (!(all.value > 0 && all.product > 0)) return kSupportMean;
  // (step / value) is an electron's worth, (product / value) the brightness.
  const double pixels = kSupportCounts * all.step / all.product;
  const double widest = std::max<double>(kSupportMean, static_cast<double>(image_width) / 4);
  return 2 * static_cast<std::size_t>(
                 std::clamp(std::ceil(pixels), static_cast<double>(kSupportMean), widest) / 2) +
         1;
}

std::vector<float> largest_means(View<const float, 3> images, std::size_t rows, std::size_t mean) {
  std::vector<float> largest(images.extent(0), 0.0F);
  for (std::size_t p = 0; p < images.extent(0); ++p)
    for (std::size_t u = 0; u < images.extent(1); ++u)
      for (std::size_t v = 0; v < rows; ++v)
        largest[p] = std::max(largest[p], mean_at(images[p], u, v, mean / 2));
  return largest;
}

Array<std::uint8_t, 3> visual_hull(const Geometry& geometry, View<const float, 3> images, std::size_t rows,
                                   std::size_t mean, const std::vector<float>& largest, std::size_t first_row,
                                   std::size_t held) {
  const bool plain = is_plain_tilt_series(geometry.angles);
  const std::size_t padded = plain ? images.extent(2) : padded_rows(held);
  const Shape<3> shape{geometry.volume_px[0], geometry.volume_px[2], padded};
  Array<std::uint16_t, 3> dissent(shape);
  std::size_t counted = 0;
  for (std::size_t p = 0; p < images.extent(0); ++p) {
    if (!(largest[p] > 0)) continue;  // a lost image says nothing of where the object ends
    ++counted;
    const auto threshold = static_cast<float>(kSupportThreshold * largest[p]);
    const auto place = seen(images[p], rows, threshold, mean / 2);
    if (padded == 0) continue;
    if (plain)
      count_dissent_of_rows(geometry, p, place, dissent);
    else
      count_dissent(geometry, p, place, first_row, held, dissent);
  }
  const double allowed = std::floor(kSupportDissent * static_cast<double>(counted));
  Array<std::uint8_t, 3> inside(shape);
  for (std::size_t i = 0; i < inside.size(); ++i) inside.data()[i] = dissent.data()[i] <= allowed ? 1 : 0;
  return inside;
}

}  // namespace aetos::tomography
