#include <algorithm>
#include <cmath>

#include "aetos/imaging/dose.hpp"
#include "aetos/imaging/integrate.hpp"
#include "aetos/imaging/source_size.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/signals.hpp"

namespace aetos::simulation {
namespace {

Array<float, 3> to_float(View<const double, 2> image) {
  Array<float, 3> one({1, image.extent(0), image.extent(1)});
  std::transform(image.begin(), image.end(), one.begin(), [](double v) { return static_cast<float>(v); });
  return one;
}

/// Whether n pixels are a whole number of periods.
bool repeats(std::size_t n, double pixel_A, std::size_t cell_px, double sampling_A) {
  if (cell_px == 0) return false;
  const double periods = static_cast<double>(n) * pixel_A / (static_cast<double>(cell_px) * sampling_A);
  return std::round(periods) >= 1 && std::abs(periods - std::round(periods)) < 1e-6;
}

void add_weighted(View<double, 2> sum, double weight, View<const double, 2> image) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum.data()[i] += weight * image.data()[i];
}

}  // namespace

TiltImages::TiltImages(const Request& request, const Plan& plan, const std::vector<Signal>& signals,
                       View<const double, 3> mean, std::size_t tilt)
    : request_(request), plan_(plan), signals_(signals), mean_(mean), tilt_(tilt) {}

std::vector<Array<float, 3>> TiltImages::of(std::size_t signal) const {
  std::vector<Array<float, 3>> images;
  const Image probes = at_probes(signal);
  images.push_back(to_float(pixels(probes)));
  if (request_.microscope.source_fwhm_A > 0) images.push_back(to_float(pixels(blurred(probes))));
  if (plan_.electrons_per_pixel) images.push_back(to_float(noisy(signal)));
  return images;
}

/// Signals of the same detector: its intensities, or its two components.
std::vector<std::size_t> TiltImages::of_detector(const Signal& signal, bool intensities) const {
  std::vector<std::size_t> found;
  for (std::size_t s = 0; s < signals_.size(); ++s)
    if (signals_[s].detector == signal.detector && signals_[s].kind != SignalKind::integrated &&
        signals_[s].is_intensity() == intensities)
      found.push_back(s);
  return found;
}

/// An image before blur and noise, at every probe.
TiltImages::Image TiltImages::at_probes(std::size_t s) const {
  const Signal& signal = signals_[s];
  if (signal.kind == SignalKind::integrated) {
    const auto parts = of_detector(signal, false);
    return integrated(at_probes(parts[0]), at_probes(parts[1]), plan_.scan.step_A());
  }
  Image image({mean_.extent(1), mean_.extent(2)});
  if (signal.kind != SignalKind::dpc) {
    std::copy(mean_[signal.channel].begin(), mean_[signal.channel].end(), image.begin());
    return image;
  }
  const auto sectors = multislice::sectors_of(plan_.imaging[signal.detector]);
  for (std::size_t i = 0; i < sectors.size(); ++i)
    add_weighted(image, multislice::centroid_mrad(sectors[i])[static_cast<std::size_t>(signal.axis)],
                 mean_[signal.channel + i]);
  return image;
}

TiltImages::Image TiltImages::blurred(View<const double, 2> probes) const {
  const double step = plan_.scan.step_A();
  return imaging::blur_source_size(probes, request_.microscope.source_fwhm_A, step, step);
}

/// Every `per_pixel`-th probe.
TiltImages::Image TiltImages::pixels(View<const double, 2> probes) const {
  const ScanGrid& scan = plan_.scan;
  Image image({scan.ny, scan.nx});
  for (std::size_t y = 0; y < scan.ny; ++y)
    for (std::size_t x = 0; x < scan.nx; ++x) image(y, x) = probes(y * scan.per_pixel, x * scan.per_pixel);
  return image;
}

/// An image as so many electrons show it. What follows from other images follows from their noisy ones.
TiltImages::Image TiltImages::noisy(std::size_t s) const {
  const Signal& signal = signals_[s];
  switch (signal.kind) {
    case SignalKind::intensity: {
      Image image = pixels(blurred(mean_[signal.channel]));
      imaging::add_counting_noise(image, *plan_.electrons_per_pixel, noise_of(plan_.imaging[signal.detector]),
                                  request_.seed, tilt_, s);
      return image;
    }
    case SignalKind::moment:
      return noisy_moment(signal, s);
    case SignalKind::dpc:
      break;
    case SignalKind::integrated: {
      const auto parts = of_detector(signal, false);
      return integrated(noisy(parts[0]), noisy(parts[1]), plan_.scan.pixel_A);
    }
  }
  const auto sectors = multislice::sectors_of(plan_.imaging[signal.detector]);
  const auto segments = of_detector(signal, true);
  Image image({plan_.scan.ny, plan_.scan.nx});
  for (std::size_t i = 0; i < sectors.size(); ++i)
    add_weighted(image, multislice::centroid_mrad(sectors[i])[static_cast<std::size_t>(signal.axis)],
                 noisy(segments[i]));
  return image;
}

TiltImages::Image TiltImages::noisy_moment(const Signal& signal, std::size_t key) const {
  Image image = pixels(blurred(mean_[signal.channel]));
  Image variance = pixels(blurred(mean_[signal.channel + 2]));
  for (std::size_t i = 0; i < image.size(); ++i) variance.data()[i] -= image.data()[i] * image.data()[i];
  const Image transmitted = pixels(blurred(mean_[mean_.extent(0) - 1]));
  imaging::add_moment_noise(image, variance, transmitted, *plan_.electrons_per_pixel, request_.seed, tilt_,
                            key);
  return image;
}

/// From components in mrad to their integral, 1/Å times Å: the phase over 2 pi of a thin specimen. Where
/// probes are denser than pixels, the last of a period are missing, and the border is a border.
TiltImages::Image TiltImages::integrated(View<const double, 2> x_mrad, View<const double, 2> y_mrad,
                                         double step_A) const {
  const auto in_1_A = [&](View<const double, 2> mrad) {
    Image image(mrad.shape());
    add_weighted(image, 1e-3 / plan_.wavelength_A, mrad);
    return image;
  };
  const auto& grid = plan_.grid;
  return imaging::integrate_gradient(in_1_A(x_mrad), in_1_A(y_mrad), step_A,
                                     {repeats(x_mrad.extent(0), step_A, grid.cell_y_px, grid.sampling_y_A),
                                      repeats(x_mrad.extent(1), step_A, grid.cell_x_px, grid.sampling_x_A)});
}

}  // namespace aetos::simulation
