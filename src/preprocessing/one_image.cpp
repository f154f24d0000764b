#include "one_image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "aetos/core/error.hpp"
#include "aetos/imaging/affine.hpp"
#include "aetos/imaging/bad_pixels.hpp"
#include "aetos/imaging/denoise.hpp"
#include "find_shifts.hpp"

namespace aetos::preprocessing {
namespace {

/// What stands before the image in a record of the journal.
struct Numbers {
  double replaced, counts_per_unit, a, b, c, object_share, total, place_total, place_y, place_x, curve;
};

void refuse_undefined(const Request& request, View<const float, 2> image, std::size_t projection) {
  const float* bad = std::find_if(image.begin(), image.end(), [](float v) { return !std::isfinite(v); });
  if (bad == image.end()) return;
  const auto at = static_cast<std::size_t>(bad - image.begin());
  throw io::undefined_pixel(request.source, *bad, projection, at / image.extent(1), at % image.extent(1));
}

/// Electrons in a pixel of value 1: what the file says, or what the noise itself tells.
double counts_per_unit(const Plan& plan, View<const float, 2> image) {
  if (plan.info.is_counts) return 1;
  if (plan.info.electrons_per_pixel && plan.signal.ends_with("_noisy")) return *plan.info.electrons_per_pixel;
  return imaging::estimate_counts_per_unit(image);
}

void take_off_noise(config::Denoise kind, const Plan& plan, Cleaned& cleaned) {
  using config::Denoise;
  using imaging::Denoiser;
  if (kind == Denoise::none) return;
  cleaned.counts_per_unit = counts_per_unit(plan, cleaned.image);
  if (!(cleaned.counts_per_unit > 0)) return;  // no noise to take off
  const Denoiser method = kind == Denoise::bm3d      ? Denoiser::bm3d
                          : kind == Denoise::wavelet ? Denoiser::wavelet
                                                     : Denoiser::non_local_means;
  cleaned.image = imaging::denoise(cleaned.image, method, cleaned.counts_per_unit);
}

void take_off_background(config::Background kind, Cleaned& cleaned) {
  if (kind == config::Background::none) return;
  const auto object = imaging::object_mask(cleaned.image);
  cleaned.object_share =
      static_cast<double>(std::count(object.begin(), object.end(), 1)) / static_cast<double>(object.size());
  if (kind == config::Background::plane) {
    cleaned.background = imaging::fit_background_plane(cleaned.image, object);
    imaging::subtract_plane(cleaned.image, cleaned.background);
  } else {
    cleaned.background.a = imaging::mean_background(cleaned.image, object);
    imaging::keep_object(cleaned.image, object, cleaned.background.a);
  }
}

/// In the frame whose y is the tilt axis.
imaging::ObjectPlace locate(const Request& request, View<const float, 2> image) {
  if (request.tilt_axis == tomography::TiltAxis::y) return imaging::locate_object(image);
  return imaging::locate_object(transposed(image));
}

}  // namespace

Cleaned clean_projection(const Request& request, const Plan& plan, std::size_t index) {
  const std::size_t projection = plan.kept[index];
  const auto raw = io::read_tilt_series_images(request.source, plan.signal, {projection, projection + 1});
  Cleaned cleaned;
  if (request.options.bad_pixels == config::BadPixels::interpolate) {
    auto mended = imaging::mend_bad_pixels(raw[0]);
    cleaned.image = std::move(mended.image);
    cleaned.replaced_pixels = mended.replaced;
  } else {
    refuse_undefined(request, raw[0], projection);
    cleaned.image = Array<float, 2>({plan.info.ny, plan.info.nx});
    std::copy(raw.begin(), raw.end(), cleaned.image.begin());
  }
  take_off_noise(request.options.denoise, plan, cleaned);
  if (plan.to_recorded) cleaned.image = imaging::resample(cleaned.image, *plan.to_recorded);
  take_off_background(request.options.background, cleaned);
  cleaned.total = std::accumulate(cleaned.image.begin(), cleaned.image.end(), 0.0);
  if (request.options.align != config::Align::none) cleaned.place = locate(request, cleaned.image);
  return cleaned;
}

std::vector<std::byte> pack(const Cleaned& c) {
  const Numbers numbers{static_cast<double>(c.replaced_pixels),
                        c.counts_per_unit,
                        c.background.a,
                        c.background.b,
                        c.background.c,
                        c.object_share,
                        c.total,
                        c.place.total,
                        c.place.y,
                        c.place.x,
                        static_cast<double>(c.place.along_y.size())};
  const auto curve = std::as_bytes(std::span(c.place.along_y));
  const auto image = std::as_bytes(c.image.flat());
  std::vector<std::byte> bytes(sizeof(Numbers) + curve.size() + image.size());
  std::memcpy(bytes.data(), &numbers, sizeof(Numbers));
  std::copy(curve.begin(), curve.end(), bytes.begin() + sizeof(Numbers));
  std::copy(image.begin(), image.end(),
            bytes.begin() + static_cast<std::ptrdiff_t>(sizeof(Numbers) + curve.size()));
  return bytes;
}

Cleaned unpack(const std::vector<std::byte>& bytes, std::size_t ny, std::size_t nx) {
  Numbers n{};
  if (bytes.size() < sizeof(Numbers)) throw ResourceError("a record of the journal is too short");
  std::memcpy(&n, bytes.data(), sizeof(Numbers));
  Cleaned c{Array<float, 2>({ny, nx}),
            static_cast<std::size_t>(n.replaced),
            n.counts_per_unit,
            {n.a, n.b, n.c},
            n.object_share,
            n.total,
            {n.place_total, n.place_y, n.place_x, std::vector<double>(static_cast<std::size_t>(n.curve))}};
  const std::size_t curve_bytes = c.place.along_y.size() * sizeof(double);
  const std::size_t image_bytes = c.image.size() * sizeof(float);
  if (bytes.size() != sizeof(Numbers) + curve_bytes + image_bytes)
    throw ResourceError(fmt::format("a record of {} bytes in the journal where {} were expected",
                                    bytes.size(), sizeof(Numbers) + curve_bytes + image_bytes));
  if (curve_bytes > 0) std::memcpy(c.place.along_y.data(), bytes.data() + sizeof(Numbers), curve_bytes);
  std::memcpy(c.image.data(), bytes.data() + sizeof(Numbers) + curve_bytes, image_bytes);
  return c;
}

}  // namespace aetos::preprocessing
