#include "aetos/pipeline/report_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "aetos/io/png.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/report_page.hpp"

namespace aetos::pipeline::report {
namespace {

std::vector<std::uint8_t> to_grey(View<const float, 2> image, const GreyScale& scale) {
  std::vector<std::uint8_t> grey;
  grey.reserve(image.size());
  const double range = scale.high > scale.low ? scale.high - scale.low : 1;
  for (float v : image) {
    const double share = std::isfinite(v) ? (static_cast<double>(v) - scale.low) / range : 0.0;
    grey.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(share, 0.0, 1.0))));
  }
  return grey;
}

/// One value for every block of k x k pixels.
template <class Reduce>
Array<float, 2> of_blocks(View<const float, 2> image, std::size_t k, const Reduce& reduce) {
  const std::size_t ny = image.extent(0), nx = image.extent(1);
  Array<float, 2> small({(ny + k - 1) / k, (nx + k - 1) / k});
  std::vector<float> values;
  for (std::size_t y = 0; y < small.extent(0); ++y)
    for (std::size_t x = 0; x < small.extent(1); ++x) {
      values.clear();
      for (std::size_t i = y * k; i < std::min(ny, (y + 1) * k); ++i)
        for (std::size_t j = x * k; j < std::min(nx, (x + 1) * k); ++j) values.push_back(image(i, j));
      small(y, x) = reduce(values);
    }
  return small;
}

}  // namespace

GreyScale grey_scale(const std::vector<View<const float, 2>>& images, double share) {
  std::vector<float> values;
  for (const auto& image : images)
    for (float v : image)
      if (std::isfinite(v)) values.push_back(v);
  if (values.empty()) return {};
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  const double high = values[static_cast<std::size_t>(rank)];
  // Traces below zero, which a blur leaves, are zero.
  const double least = *std::min_element(values.begin(), values.end());
  const double low = least < -1e-3 * std::abs(high) ? least : 0;
  return {low, high > low ? high : low + 1};
}

std::size_t block_size(std::size_t ny, std::size_t nx, std::size_t limit) {
  return std::max<std::size_t>(1, (std::max(ny, nx) + limit - 1) / limit);
}

Array<float, 2> downsample(View<const float, 2> image, std::size_t k) {
  return of_blocks(image, k, [](const std::vector<float>& values) {
    return static_cast<float>(std::accumulate(values.begin(), values.end(), 0.0) /
                              static_cast<double>(values.size()));
  });
}

Array<float, 2> block_maxima(View<const float, 2> image, std::size_t k) {
  return of_blocks(image, k, [](const std::vector<float>& values) {
    return *std::max_element(values.begin(), values.end());
  });
}

std::string png_data_uri(View<const float, 2> image, const GreyScale& scale) {
  return io::png_data_uri(io::encode_png_grey(to_grey(image, scale), image.extent(1), image.extent(0)));
}

void each_plane(const std::string& file,
                const std::function<void(std::size_t, View<const float, 2>)>& visit) {
  const auto [nz, ny, nx] = io::read_volume_info(file).shape;
  const std::size_t block = std::max<std::size_t>(1, (16U << 20U) / std::max<std::size_t>(1, ny * nx));
  for (std::size_t first = 0; first < nz; first += block) {
    const auto planes = io::read_volume_planes(file, {first, std::min(nz, first + block)});
    for (std::size_t k = 0; k < planes.extent(0); ++k) visit(first + k, planes[k]);
  }
}

double scale_bar_A(double field_A) {
  double bar = std::pow(10, std::floor(std::log10(field_A / 4)));
  for (double m : {5.0, 2.0})
    if (m * bar <= field_A / 4) return m * bar;
  return bar;
}

std::string picture_svg(const Picture& p, const GreyScale& scale, const std::string& description) {
  // The picture is 360 units wide; a margin for the axes' names lies left and below.
  constexpr double width = 360, left = 20, bottom = 20;
  const double pixel = width / static_cast<double>(p.image.extent(1));
  const double height = pixel * static_cast<double>(p.image.extent(0));
  std::string svg = fmt::format("<svg viewBox=\"0 0 {:.1f} {:.1f}\" role=\"img\" aria-label=\"{}\">",
                                left + width, height + bottom, escape(description));
  svg += fmt::format("<image x=\"{}\" y=\"0\" width=\"{}\" height=\"{:.1f}\" href=\"{}\"/>", left, width,
                     height, png_data_uri(p.image, scale));
  const double units_per_A = pixel / p.pixel_A;
  for (const Dot& dot : p.dots) {
    // Pixel i covers [i, i + 1); its centre is where its coordinate lies.
    const double x = left + pixel * (p.centre[1] + 0.5) + units_per_A * dot.across;
    const double y = pixel * (p.centre[0] + 0.5) + units_per_A * dot.down;
    svg += fmt::format("<circle class=\"dot s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>", dot.colour % 6,
                       x, y, units_per_A * p.dot_radius_A);
  }
  if (p.has_scale) {
    const double field = width / units_per_A, bar = scale_bar_A(field);
    const double y = height - 14;
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"4\" fill=\"#fff\"/>",
                       left + 12, y, bar * units_per_A);
    svg += fmt::format("<text class=\"on-picture\" x=\"{:.1f}\" y=\"{:.1f}\">{} {}</text>", left + 12, y - 6,
                       format_short(bar), escape(p.unit));
  }
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{} →</text>", left + width / 2,
                     height + 15, escape(p.across));
  svg += fmt::format(
      "<text x=\"9\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>"
      "<text x=\"9\" y=\"{:.1f}\" text-anchor=\"middle\">↓</text>",
      height / 2, escape(p.down), height / 2 + 15);
  return svg + "</svg>\n";
}

}  // namespace aetos::pipeline::report
