#include "aetos/simulation/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "aetos/core/error.hpp"
#include "aetos/core/version.hpp"
#include "aetos/imaging/dose.hpp"
#include "aetos/imaging/source_size.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/series_metadata.hpp"
#include "aetos/simulation/work_items.hpp"

namespace aetos::simulation {
namespace {

using Finished = std::map<Journal::Key, Journal::Place>;

/// The payload of an item as floats, `count` of them.
std::vector<float> read_item(const Finished& finished, const WorkItem& item, std::size_t count) {
  const auto place = finished.find(key_of(item));
  if (place == finished.end())
    throw ResourceError(
        fmt::format("the journal lacks tile {} of tilt {}, configuration {}; run again with --resume",
                    item.tile, item.tilt, item.configuration));
  const auto bytes = Journal::read(place->second);
  if (bytes.size() != count * sizeof(float))
    throw ResourceError(fmt::format("{}: a record of {} bytes where {} were expected",
                                    place->second.file.string(), bytes.size(), count * sizeof(float)));
  std::vector<float> values(count);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// Mean over the configurations of every channel at every probe: (channel, y, x).
Array<double, 3> mean_signals(const Plan& plan, const Finished& finished, std::size_t tilt,
                              std::size_t channels) {
  Array<double, 3> mean({channels, plan.scan.probes_y(), plan.scan.probes_x()});
  const double share = 1 / static_cast<double>(plan.configurations());
  for (std::size_t c = 0; c < plan.configurations(); ++c)
    for (std::size_t i = 0; i < plan.tiles.size(); ++i) {
      const auto& tile = plan.tiles[i];
      const auto values = read_item(finished, {tilt, c, i}, tile.probes() * channels);
      auto value = values.begin();
      for (std::size_t y = tile.y_begin; y < tile.y_end; ++y)
        for (std::size_t x = tile.x_begin; x < tile.x_end; ++x)
          for (std::size_t k = 0; k < channels; ++k) mean(k, y, x) += share * static_cast<double>(*value++);
    }
  return mean;
}

/// Every `per_pixel`-th probe: the pixels of the image.
Array<double, 2> take_pixels(const ScanGrid& scan, View<const double, 2> probes) {
  Array<double, 2> image({scan.ny, scan.nx});
  for (std::size_t y = 0; y < scan.ny; ++y)
    for (std::size_t x = 0; x < scan.nx; ++x) image(y, x) = probes(y * scan.per_pixel, x * scan.per_pixel);
  return image;
}

Array<float, 3> to_float(View<const double, 2> image) {
  Array<float, 3> one({1, image.extent(0), image.extent(1)});
  std::transform(image.begin(), image.end(), one.begin(), [](double v) { return static_cast<float>(v); });
  return one;
}

/// The images of one signal at one tilt, in the order of `image_names`.
std::vector<Array<float, 3>> images_of(const Request& request, const Plan& plan, View<const double, 2> probes,
                                       std::size_t tilt, std::size_t signal, bool is_intensity) {
  std::vector<Array<float, 3>> images;
  Array<double, 2> image = take_pixels(plan.scan, probes);
  images.push_back(to_float(image));
  if (request.microscope.source_fwhm_A > 0) {
    const double step = plan.scan.step_A();
    image = take_pixels(plan.scan,
                        imaging::blur_source_size(probes, request.microscope.source_fwhm_A, step, step));
    images.push_back(to_float(image));
  }
  if (plan.electrons_per_pixel && is_intensity) {
    imaging::add_poisson_noise(image, *plan.electrons_per_pixel, request.seed, tilt, signal);
    images.push_back(to_float(image));
  }
  return images;
}

std::string detector_signal(const multislice::DetectorOptions& detector, std::size_t index,
                            std::size_t count) {
  switch (detector.kind) {
    case multislice::DetectorKind::annular:
      return detector.name;
    case multislice::DetectorKind::com:
      return detector.name + (index == 0 ? "_x" : "_y");
    case multislice::DetectorKind::radial:
      break;
  }
  const std::size_t digits = std::max<std::size_t>(3, std::to_string(count - 1).size());
  return fmt::format("{}_ring_{:0{}}", detector.name, index, digits);
}

void refuse_like_beginnings(const std::vector<std::string>& names) {
  auto sorted = names;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i].starts_with(sorted[i - 1]))
      throw InputError("detectors", fmt::format("images named {} and {}", sorted[i - 1], sorted[i]),
                       "detector names that give no image the beginning of another's name");
}

}  // namespace

std::vector<Signal> signals_of(const Plan& plan) {
  const auto& detectors = plan.detectors.detectors;
  const auto layout = multislice::channel_layout(detectors);
  std::vector<Signal> signals;
  for (std::size_t d = 0; d < detectors.size(); ++d) {
    const std::size_t first = layout.first_of_detector[d];
    const std::size_t last = d + 1 < detectors.size() ? layout.first_of_detector[d + 1] : layout.count - 1;
    for (std::size_t c = first; c < last; ++c)
      signals.push_back({detector_signal(detectors[d], c - first, last - first), c,
                         detectors[d].kind != multislice::DetectorKind::com});
  }
  std::vector<std::string> names;
  for (const auto& s : signals)
    for (const char* kind : {"_clean", "_blurred", "_noisy"}) names.push_back(s.name + kind);
  refuse_like_beginnings(names);
  return signals;
}

std::vector<std::string> image_names(const Request& request, const Plan& plan, const Signal& signal) {
  std::vector<std::string> names{signal.name + "_clean"};
  if (request.microscope.source_fwhm_A > 0) names.push_back(signal.name + "_blurred");
  if (plan.electrons_per_pixel && signal.is_intensity) names.push_back(signal.name + "_noisy");
  return names;
}

void write_series(const RunContext& context, const Request& request, const Plan& plan, const Window& window,
                  const Finished& finished, const std::filesystem::path& file) {
  const auto signals = signals_of(plan);
  const std::size_t channels = multislice::channel_layout(plan.detectors.detectors).count;
  io::TiltSeriesWriter writer(context.comm, file, series_info(request, plan, window, signals),
                              series_provenance(context));
  const auto ranks = static_cast<std::size_t>(context.comm.size());
  for (std::size_t first = 0; first < request.tilts.size(); first += ranks) {
    const std::size_t tilt = first + static_cast<std::size_t>(context.comm.rank());
    const bool have = tilt < request.tilts.size();
    const std::vector<std::size_t> mine = have ? std::vector<std::size_t>{tilt} : std::vector<std::size_t>{};
    Array<double, 3> mean;
    context.comm.agree([&] {
      if (have) mean = mean_signals(plan, finished, tilt, channels);
    });
    for (std::size_t s = 0; s < signals.size(); ++s) {
      const auto names = image_names(request, plan, signals[s]);
      std::vector<Array<float, 3>> images;
      if (have) images = images_of(request, plan, mean[signals[s].channel], tilt, s, signals[s].is_intensity);
      for (std::size_t k = 0; k < names.size(); ++k)
        writer.write(names[k], mine,
                     have ? images[k].view() : View<float, 3>(nullptr, {0, plan.scan.ny, plan.scan.nx}));
    }
  }
  writer.commit();
}

}  // namespace aetos::simulation
