#include <fmt/format.h>

#include <cmath>

#include "aetos/io/tilt_series.hpp"

namespace aetos::io {

std::vector<EulerAngles> angles_of_images(const std::string& source, const TiltSeriesInfo& info,
                                          const std::vector<EulerAngles>& given) {
  const auto& angles = given.empty() ? info.angles : given;
  if (angles.empty())
    throw InputError(
        source, "no angles",
        "tilts: {theta_deg: ...}, {euler_deg: ...} or {file: ...} in the config, or a .rawtlt or .tlt "
        "file beside an .mrc");
  if (angles.size() != info.tilts)
    throw InputError(
        source,
        fmt::format("{} images of {} x {} (shape ({}, {}, {})) but {} angles", info.tilts, info.ny, info.nx,
                    info.tilts, info.ny, info.nx, angles.size()),
        "as many angles as images, images in the order (tilt, y, x); MATLAB arrays (x, y, tilt)");
  for (std::size_t i = 0; i < angles.size(); ++i)
    for (double a : {angles[i].phi_deg, angles[i].theta_deg, angles[i].psi_deg})
      if (!std::isfinite(a))
        throw InputError("tilts", fmt::format("angle {} of projection {}", a, i), "a number of degrees");
  return angles;
}

void check_projections(const std::vector<std::size_t>& listed, std::size_t count, const std::string& place) {
  for (std::size_t i : listed)
    if (i >= count)
      throw InputError(place, fmt::format("projection {}", i),
                       fmt::format("0 to {} (counted from 0)", count - 1));
}

std::string overridden_pixel_note(std::optional<double> given_A, std::optional<double> of_file_A) {
  if (!given_A || !of_file_A || !(std::abs(*of_file_A - *given_A) > 1e-6 * *given_A)) return {};
  return fmt::format("scan.pixel_A = {} Å overrides the file's pixel of {} Å", *given_A, *of_file_A);
}

InputError undefined_pixel(const std::string& source, float value, std::size_t projection, std::size_t y,
                           std::size_t x) {
  return InputError(source, fmt::format("{} in projection {} at pixel (y {}, x {})", value, projection, y, x),
                    "finite numbers; preprocess: {bad_pixels: interpolate} replaces such pixels");
}

}  // namespace aetos::io
