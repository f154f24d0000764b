#include "calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/imaging/alignment.hpp"
#include "aetos/imaging/bad_pixels.hpp"
#include "aetos/parallel/partition.hpp"

namespace aetos::preprocessing {
namespace {

using config::ApplyCalibration;
using config::CalibrateOptions;
using imaging::Shift;
using nlohmann::json;

constexpr std::size_t kSmallestCommon_px = 32;
constexpr double kSignificant = 2;  ///< errors by which a distortion must differ from none to be taken out

/// The series of the crystal.
struct CrystalImages {
  const Request& request;
  std::string file, signal;
  std::size_t count = 0, ny = 0, nx = 0;
  double pixel_A = 0;

  Array<float, 2> image(std::size_t index) const {
    const auto raw = io::read_tilt_series_images(file, signal, {index, index + 1});
    if (request.options.bad_pixels == config::BadPixels::interpolate)
      return imaging::mend_bad_pixels(raw[0]).image;
    const float* bad = std::find_if(raw.begin(), raw.end(), [](float v) { return !std::isfinite(v); });
    if (bad != raw.end()) {
      const auto at = static_cast<std::size_t>(bad - raw.begin());
      throw io::undefined_pixel(file, *bad, index, at / nx, at % nx);
    }
    Array<float, 2> image({ny, nx});
    std::copy(raw.begin(), raw.end(), image.begin());
    return image;
  }
};

CrystalImages open_images(const Request& request, const Plan& plan) {
  const auto& options = *request.options.calibrate;
  const auto info = io::read_tilt_series_info(options.file);
  CrystalImages images{
      request,
      options.file,
      io::choose_detector_signal(options.file, options.signal, info.signals, "preprocess.calibrate.signal"),
      info.tilts,
      info.ny,
      info.nx,
      0};
  const auto pixel = options.pixel_A ? options.pixel_A : info.pixel_A ? info.pixel_A : plan.pixel_A;
  if (!pixel)
    throw InputError(options.file, "no pixel size",
                     "'preprocess.calibrate.pixel_A', the nominal pixel, from which spots are told apart");
  images.pixel_A = *pixel;
  if (std::min(info.ny, info.nx) < kSmallestCommon_px)
    throw InputError(options.file, fmt::format("images of {} x {} pixels", info.ny, info.nx),
                     fmt::format("at least {0} x {0}", kSmallestCommon_px));
  return images;
}

/// Where each image lies against `reference`; images are dealt over the ranks.
std::vector<Shift> places_against(const Communicator& comm, const CrystalImages& images,
                                  View<const float, 2> reference) {
  const Range mine = block_partition(images.count, static_cast<std::size_t>(comm.size()),
                                     static_cast<std::size_t>(comm.rank()));
  std::vector<Shift> my_places;
  comm.agree([&] {
    for (std::size_t i = mine.begin; i < mine.end; ++i)
      my_places.push_back(imaging::displacement(reference, images.image(i)));
  });
  return comm.all_gather(std::span<const Shift>(my_places));
}

/// The rows or columns that every image shows once it is moved back.
Range common(const std::vector<Shift>& places, double Shift::*axis, std::size_t n) {
  double before = 0, after = 0;
  for (const Shift& s : places) {
    before = std::max(before, -(s.*axis));
    after = std::max(after, s.*axis);
  }
  const double width = static_cast<double>(n) - std::ceil(before) - std::ceil(after);
  if (!(width >= static_cast<double>(kSmallestCommon_px))) return {0, 0};
  const auto begin = static_cast<std::size_t>(std::ceil(before));
  return {begin, begin + static_cast<std::size_t>(width)};
}

/// Mean of all images, each moved back, over what all of them show. Every rank gets it.
Array<float, 2> average(const Communicator& comm, const CrystalImages& images,
                        const std::vector<Shift>& places) {
  const Range rows = common(places, &Shift::y, images.ny), columns = common(places, &Shift::x, images.nx);
  if (rows.size() == 0 || columns.size() == 0)
    throw InputError(images.file, "images that drift too far to show one place",
                     fmt::format("at least {} pixels in common", kSmallestCommon_px));
  Array<float, 2> mean({rows.size(), columns.size()});
  comm.agree([&] {
    if (!comm.is_root()) return;
    Array<double, 2> sum(mean.shape());
    for (std::size_t i = 0; i < images.count; ++i) {
      const auto moved = imaging::shift_image(images.image(i), {-places[i].y, -places[i].x});
      for (std::size_t y = 0; y < rows.size(); ++y)
        for (std::size_t x = 0; x < columns.size(); ++x)
          sum(y, x) += moved(rows.begin + y, columns.begin + x);
    }
    std::transform(sum.begin(), sum.end(), mean.begin(),
                   [&](double v) { return static_cast<float>(v / static_cast<double>(images.count)); });
  });
  comm.broadcast(mean.flat());
  return mean;
}

bool is_distorted(const imaging::LatticeFit& fit) {
  const auto &g = fit.geometry, &e = fit.error;
  const double stretch = std::abs(g.pixel_x_A - g.pixel_y_A),
               of_stretch = std::hypot(e.pixel_x_A, e.pixel_y_A);
  return stretch > kSignificant * of_stretch || std::abs(g.shear) > kSignificant * e.shear;
}

json spot_rows(const imaging::LatticeFit& fit) {
  json rows = json::array();
  for (const auto& s : fit.spots)
    rows.push_back({{"index", {s.h, s.k}},
                    {"place_per_px", {{"x", s.place.x()}, {"y", s.place.y()}}},
                    {"residual_per_px", {{"x", s.residual.x()}, {"y", s.residual.y()}}},
                    {"error_per_px", {{"x", s.error.x()}, {"y", s.error.y()}}},
                    {"signal_to_noise", s.signal_to_noise}});
  return rows;
}

json describe(const Calibration& c, const CrystalImages& images, const CalibrateOptions& options,
              const std::vector<Shift>& places) {
  const auto &g = c.fit.geometry, &e = c.fit.error;
  const auto lattice = lattice_of(options);
  json shifts = json::array();
  for (const Shift& s : places) shifts.push_back({{"y", s.y}, {"x", s.x}});
  json details{{"file", images.file},
               {"images", images.count},
               {"lattice", {{"spacings_A", {lattice.d1_A, lattice.d2_A}}, {"angle_deg", lattice.angle_deg}}},
               {"nominal_pixel_A", images.pixel_A},
               {"pixel_A", g.pixel_A()},
               {"pixel_error_A", c.fit.pixel_error_A},
               {"pixel_x_A", g.pixel_x_A},
               {"pixel_x_error_A", e.pixel_x_A},
               {"pixel_y_A", g.pixel_y_A},
               {"pixel_y_error_A", e.pixel_y_A},
               {"shear", g.shear},
               {"shear_error", e.shear},
               {"axes_angle_deg", g.axes_angle_deg()},
               {"rotation_deg", c.fit.rotation_deg},
               {"residual_bins", c.fit.residual_bins},
               {"explained", c.fit.explained},
               {"apply", word_of(config::kApplyCalibrationWords, options.apply)},
               {"distortion_taken_out", c.to_recorded.has_value()},
               {"series_pixel_A", c.series_pixel_A ? json(*c.series_pixel_A) : json(nullptr)},
               {"displacements_px", shifts},
               {"spots", spot_rows(c.fit)}};
  return details;
}

}  // namespace

imaging::Lattice lattice_of(const CalibrateOptions& options) {
  if (options.spacings_A.size() == 2)
    return {options.spacings_A[0], options.spacings_A[1], options.angle_deg};
  // Lattice parameters at room temperature: Si 5.43102, Au 4.0786, SrTiO3 3.905 Å. Along [110] of a
  // face-centred crystal the first spots are two {111}, 70.53 degrees apart.
  const auto seen_110 = [](double a) {
    return imaging::Lattice{a / std::sqrt(3.0), a / std::sqrt(3.0), 70.52877937};
  };
  switch (options.crystal) {
    case config::Crystal::silicon_110:
      return seen_110(5.43102);
    case config::Crystal::gold_110:
      return seen_110(4.0786);
    case config::Crystal::gold_100:
      return {4.0786 / 2, 4.0786 / 2, 90};
    case config::Crystal::strontium_titanate_100:
      return {3.905, 3.905, 90};
  }
  return {};
}

void check_calibration(const Request& request, const Plan& plan) {
  open_images(request, plan);
}

Calibration calibrate(const Communicator& comm, const Request& request, const Plan& plan) {
  const auto& options = *request.options.calibrate;
  const auto images = open_images(request, plan);
  log::info("calibrating by {} image(s) of {} x {} pixels in {}", images.count, images.ny, images.nx,
            images.file);
  Array<float, 2> first;
  comm.agree([&] { first = images.image(0); });
  auto places = places_against(comm, images, first);
  auto mean = average(comm, images, places);
  if (images.count > 1) {
    // The mean is less noisy than the first image, and lies where that one does but for what was cut off.
    const Range rows = common(places, &Shift::y, images.ny), columns = common(places, &Shift::x, images.nx);
    Array<float, 2> whole({images.ny, images.nx});
    const auto level =
        static_cast<float>(std::accumulate(mean.begin(), mean.end(), 0.0) / static_cast<double>(mean.size()));
    std::fill(whole.begin(), whole.end(), level);
    for (std::size_t y = 0; y < rows.size(); ++y)
      for (std::size_t x = 0; x < columns.size(); ++x) whole(rows.begin + y, columns.begin + x) = mean(y, x);
    places = places_against(comm, images, whole);
    mean = average(comm, images, places);
  }
  Calibration c;
  c.nominal_pixel_A = images.pixel_A;
  comm.agree([&] {
    c.fit = imaging::fit_lattice(mean, lattice_of(options), images.pixel_A, options.tolerance, images.file);
  });
  const double pixel = c.fit.geometry.pixel_A();
  if (options.apply != ApplyCalibration::none)
    c.series_pixel_A = plan.pixel_A.value_or(images.pixel_A) * pixel / images.pixel_A;
  if (options.apply == ApplyCalibration::affine && is_distorted(c.fit))
    c.to_recorded = c.fit.geometry.square_to_recorded();
  c.details = describe(c, images, options, places);
  c.average = std::move(mean);
  log::info(
      "  pixel {:.5f} ± {:.5f} Å (nominal {}), along x {:.5f}, along y {:.5f}, shear {:.3f} ± {:.3f} %; {} "
      "spots, {:.3f} bins rms",
      pixel, c.fit.pixel_error_A, images.pixel_A, c.fit.geometry.pixel_x_A, c.fit.geometry.pixel_y_A,
      100 * c.fit.geometry.shear, 100 * c.fit.error.shear, c.fit.spots.size(), c.fit.residual_bins);
  return c;
}

}  // namespace aetos::preprocessing
