#include "aetos/simulation/signals.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "aetos/core/error.hpp"
#include "aetos/multislice/detector.hpp"

namespace aetos::simulation {
namespace {

using multislice::DetectorKind;
using multislice::DetectorOptions;

/// Signals of one detector; `first` is its first channel, `count` how many it has.
std::vector<Signal> signals_of_detector(const DetectorOptions& detector, std::size_t d, std::size_t first,
                                        std::size_t count) {
  std::vector<Signal> signals;
  const auto add = [&](const std::string& name, std::size_t channel, SignalKind kind, int axis = 0) {
    signals.push_back({detector.name + name, channel, kind, d, axis});
  };
  const auto add_numbered = [&](const char* what) {
    const std::size_t digits = std::max<std::size_t>(3, std::to_string(count - 1).size());
    for (std::size_t c = 0; c < count; ++c)
      add(fmt::format("_{}_{:0{}}", what, c, digits), first + c, SignalKind::intensity);
  };
  switch (detector.kind) {
    case DetectorKind::annular:
    case DetectorKind::image:
      add("", first, SignalKind::intensity);
      break;
    case DetectorKind::radial:
      add_numbered("ring");
      break;
    case DetectorKind::com:
      add("_x", first, SignalKind::moment, 0);
      add("_y", first + 1, SignalKind::moment, 1);
      break;
    case DetectorKind::segmented:
      add_numbered("segment");
      if (!detector.idpc) break;
      add("_dpc_x", first, SignalKind::dpc, 0);
      add("_dpc_y", first, SignalKind::dpc, 1);
      break;
    case DetectorKind::pixelated:
      break;
  }
  if (detector.idpc) add("_idpc", first, SignalKind::integrated);
  return signals;
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
  const auto layout = multislice::channel_layout(plan.imaging);
  std::vector<Signal> signals;
  for (std::size_t d = 0; d < plan.imaging.size(); ++d) {
    const std::size_t first = layout.first_of_detector[d];
    const std::size_t last = d + 1 < plan.imaging.size() ? layout.first_of_detector[d + 1] : layout.count - 1;
    for (auto& signal : signals_of_detector(plan.imaging[d], d, first, last - first))
      signals.push_back(std::move(signal));
  }
  std::vector<std::string> names;
  for (const auto& s : signals)
    for (const char* kind : {"_clean", "_blurred", "_noisy"}) names.push_back(s.name + kind);
  refuse_like_beginnings(names);
  return signals;
}

imaging::DetectorNoise noise_of(const multislice::DetectorOptions& detector) {
  return {detector.offset_electrons, detector.gain_sd, detector.read_noise_electrons};
}

std::vector<std::string> image_names(const Request& request, const Plan& plan, const Signal& signal) {
  std::vector<std::string> names{signal.name + "_clean"};
  if (request.microscope.source_fwhm_A > 0) names.push_back(signal.name + "_blurred");
  if (plan.electrons_per_pixel) names.push_back(signal.name + "_noisy");
  return names;
}

}  // namespace aetos::simulation
