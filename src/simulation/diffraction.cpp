#include "aetos/simulation/diffraction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "aetos/core/random.hpp"
#include "aetos/io/diffraction_writer.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/series_metadata.hpp"
#include "aetos/simulation/work_items.hpp"

namespace aetos::simulation {
namespace {

using multislice::camera_side;
using multislice::DetectorOptions;

/// Keys of the noise of patterns, beyond those of images.
constexpr std::uint32_t kFirstNoiseKey = 1u << 20;

bool is_read(const DetectorOptions& camera, std::size_t tilt) {
  return !camera.tilts || std::find(camera.tilts->begin(), camera.tilts->end(), tilt) != camera.tilts->end();
}

std::size_t pixels_of(const DetectorOptions& camera) {
  return camera_side(camera) * camera_side(camera);
}

/// Patterns of one camera at one tilt.
struct Patterns {
  std::size_t camera, tilt, first_channel;
  bool noisy;
};

std::vector<Patterns> all_patterns(const Plan& plan) {
  std::vector<Patterns> all;
  std::size_t first = multislice::channel_layout(plan.imaging).count - 1;
  for (std::size_t c = 0; c < plan.cameras.size(); ++c) {
    for (std::size_t t = 0; t < plan.rotation.size(); ++t) {
      if (!is_read(plan.cameras[c], t)) continue;
      all.push_back({c, t, first, false});
      if (plan.electrons_per_pixel) all.push_back({c, t, first, true});
    }
    first += pixels_of(plan.cameras[c]);
  }
  return all;
}

/// The image's pixels in a tile: every per_pixel-th probe.
struct PixelBlock {
  std::size_t y_begin, y_end, x_begin, x_end;
};

PixelBlock pixels_of(const ScanGrid& scan, const Tile& tile) {
  const auto up = [&](std::size_t probe) { return (probe + scan.per_pixel - 1) / scan.per_pixel; };
  return {up(tile.y_begin), up(tile.y_end), up(tile.x_begin), up(tile.x_end)};
}

/// Mean over the configurations of one camera's patterns in a tile.
Array<float, 4> mean_patterns(const Plan& plan, const std::map<Journal::Key, Journal::Place>& finished,
                              const Patterns& patterns, std::size_t tile_index) {
  const Tile& tile = plan.tiles[tile_index];
  const PixelBlock block = pixels_of(plan.scan, tile);
  const std::size_t side = camera_side(plan.cameras[patterns.camera]), m = plan.scan.per_pixel;
  const std::size_t channels = item_channels(plan, patterns.tilt), width = tile.x_end - tile.x_begin;
  Array<float, 4> mean({block.y_end - block.y_begin, block.x_end - block.x_begin, side, side});
  if (mean.empty()) return mean;
  Array<double, 1> sum({mean.size()});
  for (std::size_t c = 0; c < plan.configurations(); ++c) {
    const auto values = read_item(finished, {patterns.tilt, c, tile_index}, tile.probes() * channels);
    double* to = sum.data();
    for (std::size_t y = block.y_begin; y < block.y_end; ++y)
      for (std::size_t x = block.x_begin; x < block.x_end; ++x) {
        const std::size_t probe = (y * m - tile.y_begin) * width + (x * m - tile.x_begin);
        const float* from = values.data() + probe * channels + patterns.first_channel;
        for (std::size_t q = 0; q < side * side; ++q) *to++ += static_cast<double>(from[q]);
      }
  }
  const double share = 1 / static_cast<double>(plan.configurations());
  std::transform(sum.begin(), sum.end(), mean.begin(),
                 [share](double v) { return static_cast<float>(share * v); });
  return mean;
}

void add_noise(const Request& request, const Plan& plan, const Patterns& patterns, const PixelBlock& block,
               Array<float, 4>& values) {
  const std::size_t pixels = values.extent(2) * values.extent(3);
  const double electrons = *plan.electrons_per_pixel;
  const auto noise = noise_of(plan.cameras[patterns.camera]);
  float* value = values.data();
  for (std::size_t y = block.y_begin; y < block.y_end; ++y)
    for (std::size_t x = block.x_begin; x < block.x_end; ++x)
      for (std::size_t q = 0; q < pixels; ++q, ++value) {
        const random::Index key{static_cast<std::uint32_t>(patterns.tilt),
                                kFirstNoiseKey + static_cast<std::uint32_t>(patterns.camera),
                                (y * plan.scan.nx + x) * pixels + q};
        const double detected =
            imaging::detected_electrons(electrons * static_cast<double>(*value), noise, request.seed, key);
        *value = static_cast<float>(detected / electrons);
      }
}

io::DiffractionSet set_of(const Request& request, const Plan& plan, const Patterns& patterns) {
  const DetectorOptions& camera = plan.cameras[patterns.camera];
  io::DiffractionSet set;
  set.name = fmt::format("{}_tilt{:03}_{}", camera.name, patterns.tilt, patterns.noisy ? "noisy" : "clean");
  set.ny = plan.scan.ny;
  set.nx = plan.scan.nx;
  set.side = camera_side(camera);
  set.pixel_A = plan.scan.pixel_A;
  set.step_mrad = camera.step_mrad;
  set.theta_deg = request.tilts[patterns.tilt].theta_deg;
  return set;
}

}  // namespace

bool reads_cameras(const Plan& plan, std::size_t tilt) {
  return std::any_of(plan.cameras.begin(), plan.cameras.end(),
                     [tilt](const auto& camera) { return is_read(camera, tilt); });
}

std::size_t item_channels(const Plan& plan, std::size_t tilt) {
  std::size_t channels = multislice::channel_layout(plan.imaging).count;
  if (reads_cameras(plan, tilt))
    for (const auto& camera : plan.cameras) channels += pixels_of(camera);
  return channels;
}

double diffraction_bytes(const Plan& plan) {
  double bytes = 0;
  for (const auto& patterns : all_patterns(plan))
    bytes += static_cast<double>(pixels_of(plan.cameras[patterns.camera]) * plan.scan.ny * plan.scan.nx) *
             sizeof(float);
  return bytes;
}

void write_diffraction(const RunContext& context, const Request& request, const Plan& plan,
                       const Window& window, const std::optional<ErrorBudget>& budget,
                       const std::map<Journal::Key, Journal::Place>& finished,
                       const std::filesystem::path& file) {
  const auto all = all_patterns(plan);
  std::vector<io::DiffractionSet> sets;
  for (const auto& patterns : all) sets.push_back(set_of(request, plan, patterns));
  const auto info = series_info(request, plan, window, budget, signals_of(plan));
  io::DiffractionWriter writer(context.comm, file, sets, info.microscope, info.sample,
                               io::provenance_of(context));
  const auto ranks = static_cast<std::size_t>(context.comm.size());
  for (std::size_t s = 0; s < all.size(); ++s)
    for (std::size_t first = 0; first < plan.tiles.size(); first += ranks) {
      const std::size_t tile = first + static_cast<std::size_t>(context.comm.rank());
      Array<float, 4> values;
      PixelBlock block{};
      context.comm.agree([&] {
        if (tile >= plan.tiles.size()) return;
        block = pixels_of(plan.scan, plan.tiles[tile]);
        values = mean_patterns(plan, finished, all[s], tile);
        if (all[s].noisy) add_noise(request, plan, all[s], block, values);
      });
      writer.write(s, block.y_begin, block.x_begin, values.view());
    }
  writer.commit();
}

}  // namespace aetos::simulation
