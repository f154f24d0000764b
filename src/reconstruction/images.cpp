#include "images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/imaging/bad_pixels.hpp"

namespace aetos::reconstruction {
namespace {

constexpr std::size_t kReach = imaging::kBadPixelReach;
constexpr std::size_t kChunkBytes = std::size_t{256} << 20;

/// Rows `rows` of all images of the file, (image, row, column), transposed first if the tilt axis is x.
Array<float, 3> read_rows(const std::string& source, const Plan& plan, std::size_t images, Range rows) {
  if (!plan.turned) return io::read_tilt_series_rows(source, plan.signal, rows);
  Array<float, 3> turned({images, rows.size(), plan.file_ny});
  const std::size_t image_bytes = plan.file_ny * plan.file_nx * sizeof(float);
  const std::size_t chunk = std::max<std::size_t>(1, kChunkBytes / image_bytes);
  for (std::size_t first = 0; first < images; first += chunk) {
    const Range range{first, std::min(first + chunk, images)};
    const Array<float, 3> part = io::read_tilt_series_images(source, plan.signal, range);
    for (std::size_t i = 0; i < range.size(); ++i)
      for (std::size_t v = rows.begin; v < rows.end; ++v)
        for (std::size_t u = 0; u < plan.file_ny; ++u) turned(first + i, v - rows.begin, u) = part(i, u, v);
  }
  return turned;
}

[[noreturn]] void refuse_pixel(const Request& request, const Plan& plan, std::size_t projection,
                               std::size_t row, std::size_t column, float value) {
  if (plan.turned) std::swap(row, column);
  throw io::undefined_pixel(request.source, value, projection, row, column);
}

/// Mean of the finite pixels of each kept projection, over all ranks.
std::vector<double> mean_intensity(const Communicator& comm, const Plan& plan, const Decomposition& mine,
                                   View<const float, 3> raw, std::size_t offset) {
  struct Sum {
    double total = 0, pixels = 0;
  };
  const std::size_t rows = mine.image_rows.size();
  Array<Sum, 2> sums({plan.kept.size(), rows});
  for (std::size_t p = 0; p < plan.kept.size(); ++p)
    for (std::size_t v = 0; v < rows; ++v)
      for (float value : raw[plan.kept[p]][offset + v])
        if (std::isfinite(value)) {
          sums(p, v).total += std::abs(static_cast<double>(value));
          sums(p, v).pixels += 1;
        }
  const Array<Sum, 2> all =
      mine.all_images ? std::move(sums) : gather_rows<Sum>(comm, sums.view(), plan.geometry.nv);
  std::vector<double> means;
  for (std::size_t p = 0; p < plan.kept.size(); ++p) {
    Sum total;
    for (const Sum& row : all[p]) {
      total.total += row.total;
      total.pixels += row.pixels;
    }
    means.push_back(total.pixels > 0 ? total.total / total.pixels : 0);
  }
  return means;
}

/// The file's images, whole or in rows, copied to the projectors' layout; returns how many pixels were
/// replaced.
std::size_t arrange(const Request& request, const Plan& plan, View<const float, 3> raw, std::size_t offset,
                    const Range& rows, const std::vector<double>& means, View<float, 3> out) {
  std::size_t replaced = 0;
  std::vector<double> work;
  for (std::size_t p = 0; p < plan.kept.size(); ++p) {
    const auto image = raw[plan.kept[p]];
    for (std::size_t v = 0; v < rows.size(); ++v)
      for (std::size_t u = 0; u < plan.geometry.nu; ++u) {
        imaging::MendedPixel pixel{image(offset + v, u), false};
        if (request.interpolate_bad_pixels)
          pixel = imaging::mend_pixel(image, offset + v, u, means[p], work);
        else if (!std::isfinite(pixel.value))
          refuse_pixel(request, plan, plan.kept[p], rows.begin + v, u, pixel.value);
        out(p, u, v) = pixel.value;
        replaced += pixel.replaced;
      }
  }
  return replaced;
}

}  // namespace

void shift_projection(View<float, 2> image, std::size_t rows, const imaging::Shift& shift) {
  if (shift == imaging::Shift{}) return;
  Array<float, 2> shown({image.extent(0), rows});
  for (std::size_t u = 0; u < image.extent(0); ++u) std::copy_n(&image(u, 0), rows, &shown(u, 0));
  // Its axes are (u, v) here: u takes the place of y.
  const auto moved = imaging::shift_image(shown, {shift.x, shift.y});
  for (std::size_t u = 0; u < image.extent(0); ++u) std::copy_n(&moved(u, 0), rows, &image(u, 0));
}

Images load_images(const Communicator& comm, const Request& request, const Plan& plan,
                   const Decomposition& mine) {
  const Range rows = mine.image_rows;
  const std::size_t reach = request.interpolate_bad_pixels ? kReach : 0;
  const Range halo{rows.begin - std::min(reach, rows.begin), std::min(rows.end + reach, plan.geometry.nv)};
  const std::size_t offset = rows.begin - halo.begin;
  Images images;
  Array<float, 3> raw;
  std::size_t replaced = 0;
  comm.agree([&] {
    const std::size_t in_file = io::read_tilt_series_info(request.source).tilts;
    if (!rows.empty()) raw = read_rows(request.source, plan, in_file, halo);
    if (raw.empty()) raw = Array<float, 3>({in_file, 0, plan.geometry.nu});
  });
  std::vector<double> means;
  if (request.interpolate_bad_pixels) means = mean_intensity(comm, plan, mine, raw, offset);
  comm.agree([&] {
    images.measured =
        Array<float, 3>({plan.kept.size(), plan.geometry.nu, tomography::padded_rows(rows.size())});
    replaced = arrange(request, plan, raw, offset, rows, means, images.measured);
  });
  for (std::size_t p = 0; !plan.shifts.empty() && p < plan.kept.size(); ++p)
    shift_projection(images.measured.view()[p], plan.geometry.nv, plan.shifts[plan.kept[p]]);
  images.interpolated_pixels =
      mine.all_images ? replaced : static_cast<std::size_t>(comm.sum(static_cast<std::int64_t>(replaced)));
  return images;
}

}  // namespace aetos::reconstruction
