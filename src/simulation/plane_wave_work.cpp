#include "plane_wave_work.hpp"

#include <algorithm>

#include "aetos/core/fault.hpp"
#include "aetos/core/progress.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/wave_group.hpp"

namespace aetos::simulation {
namespace {

using multislice::camera_side;

/// One tilt and configuration: what a group does at a time.
struct Pass {
  std::size_t tilt, configuration;
};

std::vector<Pass> remaining_passes(const PlaneWavePlan& wave, const Finished& finished) {
  std::vector<Pass> passes;
  for (std::size_t t = 0; t < wave.plan.rotation.size(); ++t)
    for (std::size_t c = 0; c < wave.plan.configurations(); ++c) {
      bool done = wave.patterns.empty() || finished.count(key_of(pattern_item(wave, t, c)));
      for (std::size_t i = 0; done && i < wave.plan.tiles.size(); ++i)
        done = finished.count(key_of({t, c, i})) > 0;
      if (!done) passes.push_back({t, c});
    }
  return passes;
}

/// From the last face to the plane that defocus is counted from.
double back_A(const PlaneWavePlan& wave, std::size_t tilt) {
  const auto& slices = wave.plan.slices[tilt];
  const bool centre = wave.request.microscope.focus_reference == multislice::FocusReference::centre;
  return static_cast<double>(slices.count) * slices.thickness_A +
         (centre ? static_cast<double>(slices.first) * slices.thickness_A : 0);
}

/// The images' rows of this rank, binned: (channel, strip row, x) for the rows of whole strips.
class Images {
 public:
  Images(const PlaneWavePlan& wave, Range rows) : wave_(wave) {
    const auto& scan = wave.plan.scan;
    const auto strip_of = [&](std::size_t row) {
      return row <= wave.first_row ? 0 : (row - wave.first_row) / wave.strip_px();
    };
    strips_ = {std::min(strip_of(rows.begin), wave.plan.tiles.size()),
               std::min(strip_of(rows.end + wave.strip_px() - 1), wave.plan.tiles.size())};
    first_cell_row_ = rows.begin;
    values_ = Array<double, 3>({wave.plan.imaging.size(), strips_.size() * kStripRows, scan.nx});
  }
  Range strips() const { return strips_; }

  void add(std::size_t channel, View<const float, 2> rows) {
    const std::size_t m = wave_.binning, top = wave_.first_row + strips_.begin * wave_.strip_px();
    for (std::size_t y = 0; y < values_.extent(1); ++y)
      for (std::size_t j = 0; j < m; ++j) {
        const std::size_t cell_row = top + y * m + j;
        if (cell_row < first_cell_row_ || cell_row - first_cell_row_ >= rows.extent(0)) continue;
        const float* from = &rows(cell_row - first_cell_row_, wave_.first_column);
        for (std::size_t x = 0; x < values_.extent(2); ++x)
          for (std::size_t i = 0; i < m; ++i)
            values_(channel, y, x) += static_cast<double>(from[x * m + i]) / static_cast<double>(m * m);
      }
  }

  /// As the engine of probes gives a tile: (pixel, channel), the transmitted intensity last.
  std::vector<float> payload(std::size_t strip, double transmitted) const {
    const Tile& tile = wave_.plan.tiles[strip];
    std::vector<float> values;
    for (std::size_t y = tile.y_begin; y < tile.y_end; ++y)
      for (std::size_t x = tile.x_begin; x < tile.x_end; ++x) {
        for (std::size_t c = 0; c < values_.extent(0); ++c)
          values.push_back(static_cast<float>(values_(c, y - strips_.begin * kStripRows, x)));
        values.push_back(static_cast<float>(transmitted));
      }
    return values;
  }

 private:
  const PlaneWavePlan& wave_;
  Range strips_;
  std::size_t first_cell_row_ = 0;
  Array<double, 3> values_;
};

/// Ranks that share a wave, and what they do with it.
class Group {
 public:
  Group(const Communicator& group, const PlaneWavePlan& wave)
      : group_(group),
        wave_(wave),
        beam_(group, wave.request.microscope, wave.request.multislice.parametrization, wave.grid(),
              wave.plan.grid.corner_A, wave.strip_px()) {}

  void simulate(const Pass& pass, const Finished& finished, Journal& journal) {
    group_.agree([&] {
      beam_.place_atoms(beam_atoms(wave_.request, wave_.plan, pass.tilt, pass.configuration),
                        wave_.plan.slices[pass.tilt]);
    });
    beam_.pass_plane_wave();
    const double transmitted = beam_.transmitted();
    Images images(wave_, beam_.rows());
    Array<float, 2> rows({beam_.rows().size(), wave_.plan.grid.cell_x_px});
    for (std::size_t c = 0; c < wave_.plan.imaging.size(); ++c) {
      const auto& detector = wave_.plan.imaging[c];
      std::fill(rows.begin(), rows.end(), 0.0f);
      beam_.add_image(detector.inner_mrad, detector.outer_mrad, wave_.plan.focal_series,
                      back_A(wave_, pass.tilt), rows);
      images.add(c, rows.view());
    }
    const auto patterns = simulate_patterns();
    group_.agree([&] {
      const auto append = [&](const WorkItem& item, const std::vector<float>& values) {
        if (!finished.count(key_of(item))) journal.append(key_of(item), std::as_bytes(std::span(values)));
      };
      for (std::size_t s = images.strips().begin; s < images.strips().end; ++s)
        append({pass.tilt, pass.configuration, s}, images.payload(s, transmitted));
      if (group_.is_root() && !patterns.empty())
        append(pattern_item(wave_, pass.tilt, pass.configuration), patterns);
    });
  }

 private:
  /// Of all cameras, one behind the other, summed in the order of ranks.
  std::vector<float> simulate_patterns() {
    std::vector<float> all;
    for (const auto& camera : wave_.patterns) {
      const std::size_t side = camera_side(camera);
      Array<double, 2> mine({side, side});
      beam_.add_pattern(camera.step_mrad, side, mine);
      const auto parts = group_.all_gather(std::span<const double>(mine.data(), mine.size()));
      for (std::size_t q = 0; q < mine.size(); ++q) {
        double sum = 0;
        for (std::size_t part = q; part < parts.size(); part += mine.size()) sum += parts[part];
        all.push_back(static_cast<float>(sum));
      }
    }
    return all;
  }

  const Communicator& group_;
  const PlaneWavePlan& wave_;
  WaveGroup beam_;
};

}  // namespace

std::pair<std::uint64_t, bool> simulate_waves(const Communicator& group, const PlaneWavePlan& wave,
                                              std::size_t index, std::size_t groups, const Finished& finished,
                                              Journal& journal, EarlyEnd& end) {
  const auto passes = remaining_passes(wave, finished);
  if (index >= passes.size()) return {0, false};
  Group worker(group, wave);
  Progress progress("waves", static_cast<double>(passes.size()), 0);
  std::uint64_t wave_slices = 0;
  for (std::size_t i = index; i < passes.size(); i += groups) {
    if (group.any(end.is_due())) return {wave_slices, true};
    fault::point("simulate-item");
    worker.simulate(passes[i], finished, journal);
    wave_slices += wave.plan.slices[passes[i].tilt].count;
    progress.update(static_cast<double>(std::min(i + groups, passes.size())));
  }
  progress.finish();
  return {wave_slices, false};
}

}  // namespace aetos::simulation
