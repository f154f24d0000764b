#include "measured_images.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/tilt_series.hpp"

namespace aetos::tracing {
namespace {

/// What was asked for, else the noisy images, else the blurred ones, else the first.
std::string choose_signal(const std::string& asked, const std::vector<std::string>& signals) {
  if (!asked.empty() && asked != "auto") return asked;
  for (const std::string ending : {"_noisy", "_blurred"})
    for (const auto& signal : signals)
      if (signal.ends_with(ending)) return signal;
  return signals.empty() ? std::string{} : signals.front();
}

double counts_per_unit(const io::TiltSeriesInfo& info, const std::string& signal) {
  if (info.is_counts) return 1;
  return signal.ends_with("_noisy") ? info.electrons_per_pixel.value_or(0) : 0;
}

std::vector<std::size_t> used_projections(std::size_t tilts, const std::vector<std::size_t>& exclude) {
  std::vector<std::size_t> used;
  for (std::size_t t = 0; t < tilts; ++t)
    if (std::find(exclude.begin(), exclude.end(), t) == exclude.end()) used.push_back(t);
  return used;
}

void refuse_undefined(View<const float, 2> image, std::size_t projection, const std::string& source) {
  const float* bad = std::find_if(image.begin(), image.end(), [](float v) { return !std::isfinite(v); });
  if (bad == image.end()) return;
  const auto at = static_cast<std::size_t>(bad - image.begin());
  throw InputError(source,
                   fmt::format("a value that is no finite number in projection {}, pixel (y, x) = ({}, {})",
                               projection, at / image.extent(1), at % image.extent(1)),
                   "finite numbers");
}

/// Squares of images in far units, as of charges in coulombs, leave single precision. A power of two rounds
/// no value that matters beside the largest.
void bring_into_range(const Communicator& comm, MeasuredImages& images) {
  float mine = 0;
  for (const float v : images.values.flat()) mine = std::max(mine, std::abs(v));
  const double largest = comm.max(mine);
  if (largest == 0 || (largest > 1e-12 && largest < 1e12)) return;
  const int power = -std::ilogb(largest);
  for (float& v : images.values.flat()) v = std::ldexp(v, power);
  images.counts_per_unit = std::ldexp(images.counts_per_unit, -power);
}

/// As they stand in the file.
MeasuredImages read_images(const Communicator& comm, const Request& request) {
  MeasuredImages images;
  comm.agree([&] {
    const auto info = io::read_tilt_series_info(request.images);
    const auto& angles = request.angles.empty() ? info.angles : request.angles;
    if (angles.empty()) throw InputError(request.images, "no angles", "angles in the file or under `tilts`");
    if (angles.size() != info.tilts)
      throw InputError(
          "tilts",
          fmt::format("{} angles for the {} images of {}", angles.size(), info.tilts, request.images),
          "one angle for each image");
    const auto pixel = request.pixel_A ? request.pixel_A : info.pixel_A;
    if (!pixel)
      throw InputError("scan.pixel_A", "nothing, and " + request.images + " has no pixel size",
                       "a length in Å");
    const std::string signal = choose_signal(request.signal, info.signals);
    images.ny = info.ny;
    images.nx = info.nx;
    images.pixel_A = *pixel;
    images.counts_per_unit = counts_per_unit(info, signal);
    const auto used = used_projections(info.tilts, request.exclude);
    for (const std::size_t t : used) {
      images.numbers.push_back(t);
      images.poses.push_back({angles[t], 0, 0});
      images.sight.push_back(rotation_matrix(angles[t]));
    }
    images.mine = block_partition(used.size(), static_cast<std::size_t>(comm.size()),
                                  static_cast<std::size_t>(comm.rank()));
    images.values = Array<float, 3>({images.mine.size(), info.ny, info.nx});
    for (std::size_t i = 0; i < images.mine.size(); ++i) {
      const std::size_t t = used[images.mine.begin + i];
      const auto image = io::read_tilt_series_images(request.images, signal, {t, t + 1});
      refuse_undefined(image[0], t, request.images);
      std::copy(image.begin(), image.end(), images.values[i].begin());
    }
  });
  return images;
}

/// Numbers of the images whose pixels are all equal. Collective.
std::vector<std::size_t> flat_images(const Communicator& comm, const MeasuredImages& images) {
  std::vector<std::size_t> mine;
  for (std::size_t i = 0; i < images.mine.size(); ++i) {
    const auto [least, largest] = std::ranges::minmax(images.values[i].flat());
    if (least == largest) mine.push_back(images.numbers[images.mine.begin + i]);
  }
  return comm.all_gather(std::span<const std::size_t>(mine));
}

}  // namespace

MeasuredImages read_measured_images(const Communicator& comm, const Request& request) {
  MeasuredImages images = read_images(comm, request);
  bring_into_range(comm, images);
  return images;
}

MeasuredImages read_telling_images(const Communicator& comm, Request request) {
  MeasuredImages images = read_images(comm, request);
  const auto flat = flat_images(comm, images);
  if (!flat.empty()) {
    if (flat.size() == images.numbers.size())
      throw InputError(request.images, "no image with more than one value", "images of a particle");
    log::warn("trace: projection(s) {} of {} have one value everywhere and are not used",
              fmt::join(flat, ", "), request.images);
    request.exclude.insert(request.exclude.end(), flat.begin(), flat.end());
    images = {};
    images = read_images(comm, request);
  }
  bring_into_range(comm, images);
  return images;
}

}  // namespace aetos::tracing
