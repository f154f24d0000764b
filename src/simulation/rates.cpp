#include "aetos/simulation/rates.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>

#include "aetos/core/array.hpp"
#include "aetos/core/fft.hpp"

namespace aetos::simulation {
namespace {

/// A wave-slice takes about this much of FFTW's bare pair of transforms of the same window (aetos-bench
/// wave_slice), timed on this many pixels at most.
constexpr double kOfTransformPair = 0.55;
constexpr std::size_t kLargestTransform_px = 512;
constexpr double kTrial_s = 0.03;
/// A slice's potential, per wave-slice of as many pixels (3.4 to 4.9 by the same benchmark); it reaches this
/// far beyond the probes of a tile.
constexpr double kPotentialOfWaveSlice = 4, kPotentialHalo_A = 4;

double operations(double ny, double nx) {
  return ny * nx * std::log2(ny * nx);
}

}  // namespace

/// From a transform pair timed here and now, scaled by n² log n².
Rates rates_of_transforms(const Window& window) {
  const std::size_t ny = std::min(window.px[0], kLargestTransform_px),
                    nx = std::min(window.px[1], kLargestTransform_px);
  Array<std::complex<float>, 2> wave({ny, nx});
  auto* p = reinterpret_cast<fftwf_complex*>(wave.data());
  const auto plan = [&](int sign) {
    return fft::PlanF(
        fftwf_plan_dft_2d(static_cast<int>(ny), static_cast<int>(nx), p, p, sign, FFTW_MEASURE));
  };
  const auto forward = plan(FFTW_FORWARD), backward = plan(FFTW_BACKWARD);
  std::fill(wave.begin(), wave.end(), std::complex<float>{});
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double elapsed = 0;
  int pairs = 0;
  do {
    fftwf_execute(forward.get());
    fftwf_execute(backward.get());
    ++pairs;
    elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  } while (elapsed < kTrial_s);
  const double scale = operations(static_cast<double>(window.px[0]), static_cast<double>(window.px[1])) /
                       operations(static_cast<double>(ny), static_cast<double>(nx));
  const double pair_s = elapsed / pairs * scale;
  return {kOfTransformPair * pair_s, kPotentialOfWaveSlice * kOfTransformPair * pair_s};
}

double window_operations(const Window& window) {
  return operations(static_cast<double>(window.px[0]), static_cast<double>(window.px[1]));
}

double tile_operations(const Plan& plan, const Window& window, std::size_t probes, std::size_t tiles) {
  const auto& tile = plan.tiles.front();
  const double more_A =
      static_cast<double>(tile.y_end - tile.y_begin) * plan.scan.step_A() + kPotentialHalo_A;
  const double width_A = static_cast<double>(window.px[0]) * plan.grid.sampling_y_A;
  const double side = window.whole ? 1 : 1 + more_A / width_A;
  const double waves = static_cast<double>(probes * plan.focal_series.size()),
               potentials = static_cast<double>(tiles) * kPotentialOfWaveSlice * side * side;
  return (waves + potentials) * static_cast<double>(plan.slice_count()) * window_operations(window);
}

}  // namespace aetos::simulation
