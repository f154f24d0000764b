#include <fmt/format.h>

#include <algorithm>

#include "aetos/core/random.hpp"
#include "aetos/io/diffraction_writer.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/signals.hpp"
#include "plane_wave_work.hpp"

namespace aetos::simulation {
namespace {

using multislice::camera_side;

/// Keys of the noise of patterns, beyond those of images.
constexpr std::uint32_t kFirstNoiseKey = 1u << 20;

bool is_read(const multislice::DetectorOptions& camera, std::size_t tilt) {
  return !camera.tilts || std::find(camera.tilts->begin(), camera.tilts->end(), tilt) != camera.tilts->end();
}

/// One camera's mean over the configurations, fractions of the beam.
std::vector<float> mean_pattern(const PlaneWavePlan& wave, const Finished& finished, std::size_t tilt,
                                std::size_t first, std::size_t count) {
  std::vector<double> sum(count);
  for (std::size_t c = 0; c < wave.plan.configurations(); ++c) {
    const auto values = read_item(finished, pattern_item(wave, tilt, c), pattern_values(wave));
    for (std::size_t q = 0; q < count; ++q) sum[q] += static_cast<double>(values[first + q]);
  }
  std::vector<float> mean;
  for (const double s : sum)
    mean.push_back(static_cast<float>(s / static_cast<double>(wave.plan.configurations())));
  return mean;
}

/// What as many electrons as fall on the image show.
void add_noise(const PlaneWavePlan& wave, std::size_t camera, std::size_t tilt, std::vector<float>& pattern) {
  const double electrons = *wave.plan.electrons_per_pixel * static_cast<double>(wave.plan.scan.probes());
  for (std::size_t q = 0; q < pattern.size(); ++q) {
    const random::Index key{static_cast<std::uint32_t>(tilt),
                            kFirstNoiseKey + static_cast<std::uint32_t>(camera), q};
    const double detected = imaging::detected_electrons(
        electrons * static_cast<double>(pattern[q]), noise_of(wave.patterns[camera]), wave.request.seed, key);
    pattern[q] = static_cast<float>(detected / electrons);
  }
}

}  // namespace

std::size_t pattern_values(const PlaneWavePlan& wave) {
  std::size_t values = 0;
  for (const auto& camera : wave.patterns) values += camera_side(camera) * camera_side(camera);
  return values;
}

WorkItem pattern_item(const PlaneWavePlan& wave, std::size_t tilt, std::size_t configuration) {
  return {tilt, configuration, wave.plan.tiles.size()};
}

void write_patterns(const RunContext& context, const PlaneWavePlan& wave, const io::TiltSeriesInfo& info,
                    const Finished& finished, const std::filesystem::path& file) {
  struct Set {
    std::size_t camera, tilt, first;
    bool noisy;
  };
  std::vector<Set> all;
  std::vector<io::DiffractionSet> sets;
  std::size_t first = 0;
  for (std::size_t c = 0; c < wave.patterns.size(); ++c) {
    const auto& camera = wave.patterns[c];
    for (std::size_t t = 0; t < wave.request.tilts.size(); ++t)
      for (const bool noisy : {false, true}) {
        if (!is_read(camera, t) || (noisy && !wave.plan.electrons_per_pixel)) continue;
        all.push_back({c, t, first, noisy});
        sets.push_back({fmt::format("{}_tilt{:03}_{}", camera.name, t, noisy ? "noisy" : "clean"), 1, 1,
                        camera_side(camera), wave.plan.scan.pixel_A, camera.step_mrad,
                        wave.request.tilts[t].theta_deg});
      }
    first += camera_side(camera) * camera_side(camera);
  }
  io::DiffractionWriter writer(context.comm, file, sets, info.microscope, info.sample,
                               io::provenance_of(context));
  for (std::size_t s = 0; s < all.size(); ++s) {
    Array<float, 4> values;
    context.comm.agree([&] {
      if (!context.comm.is_root()) return;
      const std::size_t side = sets[s].side;
      auto pattern = mean_pattern(wave, finished, all[s].tilt, all[s].first, side * side);
      if (all[s].noisy) add_noise(wave, all[s].camera, all[s].tilt, pattern);
      values = Array<float, 4>({1, 1, side, side});
      std::copy(pattern.begin(), pattern.end(), values.begin());
    });
    writer.write(s, 0, 0, values.view());
  }
  writer.commit();
}

}  // namespace aetos::simulation
