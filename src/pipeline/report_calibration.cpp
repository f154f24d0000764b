// The report's part on the calibration by a known crystal: its averaged image, its spots, and what they say.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/imaging/spectrum.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_images.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kImage_px = 512;
constexpr double kBeyondSpots = 1.15;  ///< of the spectrum, how far it is shown

std::string image_figure(const Array<float, 2>& whole, double pixel_A) {
  const auto block = block_size(whole.extent(0), whole.extent(1), kImage_px);
  const auto image = downsample(whole, block);
  // What a crystal shows lies between its darkest and brightest parts, not above zero.
  auto scale = grey_scale({image}, 0.998);
  scale.low = grey_scale({image}, 0.002).high;
  const Picture picture{
      .image = image, .pixel_A = pixel_A * static_cast<double>(block), .across = "x", .down = "y"};
  return figure("The crystal", picture_svg(picture, scale, "Averaged image of the crystal"),
                "Mean of the registered images. Data: calibration.h5");
}

/// The middle of the spectrum that holds all spots, with circles about those that the lattice explains.
std::string spectrum_figure(const Array<float, 2>& image, const Json& calibration) {
  const auto spectrum = imaging::log_spectrum(image);
  const std::size_t ny = spectrum.extent(0), nx = spectrum.extent(1);
  double farthest = 0;
  for (const auto& s : calibration.at("spots"))
    farthest = std::max({farthest, std::abs(s["place_per_px"]["x"].get<double>()),
                         std::abs(s["place_per_px"]["y"].get<double>())});
  const double reach = std::min(0.5, kBeyondSpots * farthest);
  const auto half = [reach](std::size_t n) {
    return std::min(n / 2, static_cast<std::size_t>(std::ceil(reach * static_cast<double>(n))));
  };
  const std::size_t hy = half(ny), hx = half(nx);
  // Square pixels of the finer of the two steps, so that equal frequencies are equally long.
  const std::size_t side = 2 * std::max(hy, hx);
  Array<float, 2> shown({side, side});
  for (std::size_t j = 0; j < side; ++j)
    for (std::size_t i = 0; i < side; ++i)
      shown(j, i) =
          spectrum(centre_index(ny) - hy + j * 2 * hy / side, centre_index(nx) - hx + i * 2 * hx / side);
  const auto block = block_size(side, side, kImage_px);
  const auto small = block_maxima(shown, block);
  const double pixel_nm = calibration.at("pixel_A").get<double>() / 10;
  // What is shown are whole steps of the spectrum, a little more than the reach.
  const double shown_reach = std::max(static_cast<double>(hy) / static_cast<double>(ny),
                                      static_cast<double>(hx) / static_cast<double>(nx));
  const double step =
      2 * shown_reach / static_cast<double>(side) * static_cast<double>(block) / pixel_nm;  // 1/nm
  Picture picture{
      .image = small,
      .pixel_A = step,
      // k = 0 is the middle of the pixel after the half.
      .centre = {static_cast<double>(small.extent(0)) / 2, static_cast<double>(small.extent(1)) / 2},
      .across = "kx",
      .down = "ky",
      .dot_radius_A = 0.02 * 2 * reach / pixel_nm,
      .unit = "1/nm"};
  for (const auto& s : calibration.at("spots"))
    for (const double side_of : {1.0, -1.0})
      picture.dots.push_back({side_of * s["place_per_px"]["x"].get<double>() / pixel_nm,
                              side_of * s["place_per_px"]["y"].get<double>() / pixel_nm, 0});
  return figure("Its Fourier transform",
                picture_svg(picture, grey_scale({small}, 0.9995), "Fourier transform with spots"),
                fmt::format("Logarithm of the power under Hann windows. Circles: the {} spots (each twice) "
                            "that the pixel follows from.",
                            calibration.at("spots").size()));
}

std::string with_error(double value, double error, int decimals) {
  return format(value, decimals) + " ± " + format(error, decimals);
}

}  // namespace

std::string calibration_part(const Run& run) {
  if (!run.has(files::calibration) || !run.has(files::crystal)) return {};
  const auto c = Json::parse(io::read_text_file((run.folder / files::calibration).string()));
  const auto series = io::read_tilt_series_images((run.folder / files::crystal).string(), "average", {0, 1});
  Array<float, 2> image({series.extent(1), series.extent(2)});
  std::copy(series.begin(), series.end(), image.begin());
  const auto at = [&](const char* key) { return number(c, key).value_or(0); };
  const std::vector<std::vector<std::string>> rows{
      {"Pixel (Å)", with_error(at("pixel_A"), at("pixel_error_A"), 5)},
      {"Nominal pixel (Å)", format(at("nominal_pixel_A"), 5)},
      {"Step along x (Å)", with_error(at("pixel_x_A"), at("pixel_x_error_A"), 5)},
      {"Step along y (Å)", with_error(at("pixel_y_A"), at("pixel_y_error_A"), 5)},
      {"Shear of y along x (%)", with_error(100 * at("shear"), 100 * at("shear_error"), 3)},
      {"Angle between x and y (°)", format(at("axes_angle_deg"), 3)},
      {"Spots about the fit (bins, rms)", format(at("residual_bins"), 3)}};
  const auto taken = c.find("distortion_taken_out");
  const std::string words =
      fmt::format(
          "Pixel size and scan distortion from {} image(s) of a crystal with spacings of {:.4f} and {:.4f} "
          "Å, {:.2f}° apart. ",
          c.at("images").get<std::size_t>(), c.at("lattice").at("spacings_A").at(0).get<double>(),
          c.at("lattice").at("spacings_A").at(1).get<double>(),
          c.at("lattice").at("angle_deg").get<double>()) +
      (taken != c.end() && taken->is_boolean() && taken->get<bool>()
           ? "The distortion was taken out of the tilt series."
           : "No distortion was taken out of the tilt series.") +
      (number(c, "series_pixel_A") ? " Pixel of the series: " + format(number(c, "series_pixel_A"), 5) + " Å."
                                   : "");
  return paragraph(escape(words)) + row({image_figure(image, at("pixel_A")), spectrum_figure(image, c)}, 2) +
         table({"Calibration", ""}, rows);
}

}  // namespace aetos::pipeline::report
