#include <algorithm>
#include <complex>
#include <limits>

#include "aetos/core/array.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/multislice/tile_engine.hpp"
#include "benchmark.hpp"

/// Time per wave and slice of a tile, everything included, over FFTW's bare in-place forward and backward
/// transform of one wave. Both are the best of interleaved rounds, so that other work on the machine touches
/// both alike.
namespace aetos::bench {
namespace {

constexpr int kRounds = 6;

/// A block of a fluorite-like lattice that fills every window of the tile in all 20 slices.
multislice::BeamAtoms block_of_atoms(double half_width_A) {
  multislice::BeamAtoms atoms;
  for (double z = -19.5; z < 20; z += 2.5)
    for (double y = -half_width_A; y < half_width_A; y += 2.6)
      for (double x = -half_width_A; x < half_width_A; x += 2.6) {
        atoms.atomic_number.push_back(40);
        atoms.position.emplace_back(x + 0.13 * z, y, z);
        atoms.weight.push_back(1);
      }
  return atoms;
}

class FftwPair {
 public:
  FftwPair(std::size_t n, unsigned planning) : wave_({n, n}) {
    auto* p = reinterpret_cast<fftwf_complex*>(wave_.data());
    const int size = static_cast<int>(n);
    forward_.reset(fftwf_plan_dft_2d(size, size, p, p, FFTW_FORWARD, planning));
    back_.reset(fftwf_plan_dft_2d(size, size, p, p, FFTW_BACKWARD, planning));
    std::fill(wave_.begin(), wave_.end(), std::complex<float>{});
  }
  /// Processor time of a forward and backward transform, the mean of `times`.
  double pair_s(int times) {
    return seconds([&] {
             for (int i = 0; i < times; ++i) {
               fftwf_execute(forward_.get());
               fftwf_execute(back_.get());
             }
           }) /
           times;
  }

 private:
  Array<std::complex<float>, 2> wave_;
  fft::PlanF forward_, back_;
};

nlohmann::json measure(std::size_t window_px) {
  multislice::EngineSettings settings;
  settings.microscope.convergence_mrad = 30;
  settings.detectors = {{"adf", multislice::DetectorKind::annular, 39.4, 65, 1}};
  settings.window_x_px = settings.window_y_px = window_px;
  multislice::TileEngine engine(settings);
  std::vector<Vec2> probes;
  for (int j = 0; j < 16; ++j)
    for (int i = 0; i < 16; ++i) probes.emplace_back(0.3434 * i, 0.3434 * j);
  const auto atoms = block_of_atoms(engine.reach_A() + 3);
  const auto slices = multislice::SliceGrid::covering(-19.9, 19.9, 2);
  Array<float, 2> out({probes.size(), engine.channels().count});
  FftwPair estimated(window_px, FFTW_ESTIMATE), measured(window_px, FFTW_MEASURE);
  const int pairs = static_cast<int>(std::max<std::size_t>(10, 1'500'000 / (window_px * window_px)));

  double step = std::numeric_limits<double>::max(), estimate = step, measure = step, potential_share = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto cost = engine.simulate(atoms, slices, probes, out);
    step = std::min(step, cost.waves_s / static_cast<double>(cost.wave_slices));
    potential_share = cost.potential_s / (cost.potential_s + cost.waves_s);
    estimate = std::min(estimate, estimated.pair_s(pairs));
    measure = std::min(measure, measured.pair_s(pairs));
  }
  const double bare = std::min(estimate, measure);
  return {{"window_px", window_px},
          {"wave_slice_us", step * 1e6},
          {"fftw_pair_us", bare * 1e6},
          {"ratio", step / bare},
          {"fftw_pair_estimate_us", estimate * 1e6},
          {"fftw_pair_measure_us", measure * 1e6},
          {"potential_share_of_tile", potential_share}};
}

nlohmann::json wave_slice() {
  nlohmann::json windows = nlohmann::json::array();
  for (const std::size_t n : {64, 96, 128, 256}) windows.push_back(measure(n));
  return {{"windows", windows}};
}

const Registration registration("wave_slice", wave_slice);

}  // namespace
}  // namespace aetos::bench
