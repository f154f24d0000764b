#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "aetos/core/array.hpp"

/// Pictures of the report: grey images as PNG inside the page, with scale bars and atoms drawn over them.
namespace aetos::pipeline::report {

/// Values shown black and white.
struct GreyScale {
  double low = 0, high = 1;
};
/// From 0 (or the least value, if negative) to the percentile `share` of all values together; NaN is left
/// out.
GreyScale grey_scale(const std::vector<View<const float, 2>>& images, double share);

/// The least whole number of pixels per side of a block that brings both sides of an image to `limit` or
/// less.
std::size_t block_size(std::size_t ny, std::size_t nx, std::size_t limit);
/// Means over blocks of `block` x `block` pixels; the last ones may be smaller.
Array<float, 2> downsample(View<const float, 2> image, std::size_t block);

/// Greatest values of such blocks, in which single spots stay bright.
Array<float, 2> block_maxima(View<const float, 2> image, std::size_t block);

/// "data:image/png;base64,..." of an image (y, x), 8 bits.
std::string png_data_uri(View<const float, 2> image, const GreyScale& scale);

/// Calls visit(z, plane (y, x)) for every plane of a volume's file; few are held at once.
void each_plane(const std::string& file, const std::function<void(std::size_t, View<const float, 2>)>& visit);

/// The round length (1, 2, 5 x 10^n Å) nearest to a quarter of the field, not above it.
double scale_bar_A(double field_A);

/// A dot over a picture, in Å about the centre along its two axes.
struct Dot {
  double across, down;
  std::size_t colour = 0;  ///< index of a species, for its colour in the style sheet
};

/// A picture with its axes.
struct Picture {
  View<const float, 2> image{};  ///< rows run down
  double pixel_A = 1;            ///< of `image`; ignored without `has_scale`
  bool has_scale = true;
  std::array<double, 2> centre{};  ///< (row, column) of the rotation centre, in pixels of `image`
  std::string across{}, down{};    ///< names of the axes: "x", "y"
  std::vector<Dot> dots{};
  double dot_radius_A = 0.55;
  std::string unit = "Å";  ///< of the bar and of all that is given in Å
};
/// SVG of a picture with named axes and a scale bar.
std::string picture_svg(const Picture& picture, const GreyScale& scale, const std::string& description);

}  // namespace aetos::pipeline::report
