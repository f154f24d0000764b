#include "aetos/simulation/memory.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <set>

#include "aetos/core/fft.hpp"
#include "aetos/core/program_memory.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/multislice/potential.hpp"
#include "aetos/simulation/diffraction.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/window.hpp"

namespace aetos::simulation {
namespace {

constexpr double kBatchBytes = 1024 * 1024;
constexpr double kHalo_A = 4;  // cut off at both sides of a tile
constexpr double kJournalRecordBytes = 128;

/// Pixels of the region that a tile's slices are built on.
double region_px(const Plan& plan, const Window& window) {
  if (window.whole) return static_cast<double>(window.px[0] * window.px[1]);
  double pixels = 1;
  const auto& tile = plan.tiles.front();
  const std::array<std::size_t, 2> probes{tile.y_end - tile.y_begin, tile.x_end - tile.x_begin};
  const std::array<double, 2> sampling{plan.grid.sampling_y_A, plan.grid.sampling_x_A};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const double extra =
        (static_cast<double>(probes[axis] - 1) * plan.scan.step_A() + kHalo_A) / sampling[axis];
    pixels *= static_cast<double>(fft::fast_size(window.px[axis] + static_cast<std::size_t>(extra) + 1));
  }
  return pixels;
}

/// Of the probe's tails.
struct TailsBytes {
  double tables = 0;     ///< on planes 4 Å apart
  double made_from = 0;  ///< cells of at least 40 Å and at most 120 Å, no larger than the specimen's
};

TailsBytes tails_bytes(const Request& request, const Plan& plan, const Window& window) {
  if (window.whole) return {};
  const double depth_A = static_cast<double>(plan.slice_count()) * request.multislice.slice_A;
  const double planes = (depth_A / 4 + 1) * static_cast<double>(plan.focal_series.size());
  const double pixels = static_cast<double>(window.px[0] * window.px[1]);
  const double coarsest = std::max(plan.grid.sampling_x_A, plan.grid.sampling_y_A);
  const double side_A = std::max(plan.full_side_A[0], plan.full_side_A[1]);
  const double cell_px = std::min(side_A, std::max(40.0, window_width_A(plan, window) + 24)) / coarsest;
  const double wide_px =
      4 * request.microscope.convergence_mrad * 1e-3 / plan.wavelength_A * std::min(120.0, side_A);
  const double made_at_once = 3 * sizeof(std::complex<double>) + sizeof(double);
  return {planes * pixels * 2 * sizeof(float) + pixels * sizeof(double) +
              wide_px * wide_px * sizeof(std::uint32_t),
          made_at_once * std::pow(std::max(cell_px, wide_px), 2)};
}

}  // namespace

double memory_per_rank_bytes(const Request& request, const Plan& plan, const Window& window) {
  const double wave = sizeof(std::complex<float>), pixels = region_px(plan, window);
  const double channels = static_cast<double>(multislice::channel_layout(plan.imaging).count);
  const double transmissions = static_cast<double>(plan.slice_count()) * pixels * wave;
  const double potential = 4 * pixels * (sizeof(float) + wave / 2) + 3 * pixels * wave;
  // Finite slices: half of their spectra, and a table for each element and plane that an atom reaches.
  double finite = 0;
  if (request.multislice.slicing == multislice::Slicing::finite) {
    const std::set<std::uint8_t> elements(request.specimen.atomic_number.begin(),
                                          request.specimen.atomic_number.end());
    const auto tables =
        static_cast<double>(elements.size() * multislice::AtomPlanes(request.multislice.slice_A, 1).reach());
    finite = transmissions / 2 + tables * pixels * sizeof(float);
  }
  // Propagators and detectors; or the next probe's spectrum, built while the last tile's transmissions are
  // there.
  const double waves = kBatchBytes + 9 * static_cast<double>(window.px[0] * window.px[1]) * wave;
  const double atoms = static_cast<double>(request.specimen.size()) * 170;
  const TailsBytes tails = tails_bytes(request, plan, window);
  const double computing =
      tails.tables + std::max(tails.made_from, transmissions + potential + finite + waves);
  double patterns = 0;
  for (std::size_t t = 0; t < request.tilts.size(); ++t)
    patterns = std::max(patterns, static_cast<double>(item_channels(plan, t)) - channels);
  const double tile_patterns =
      patterns * static_cast<double>(plan.tiles.front().probes()) * (3 * sizeof(double) + 2 * sizeof(float));
  const double images = (channels + 4) * static_cast<double>(plan.scan.probes()) * sizeof(double);
  return kProgramBytes + atoms + tile_patterns + std::max(computing, images);
}

io::SpaceNeeded BytesWritten::space(const std::filesystem::path& series) const {
  io::SpaceNeeded needed{.results = {{series, images}}, .work_bytes = journal};
  if (patterns > 0) needed.results.push_back({series.parent_path() / kDiffractionFile, patterns});
  return needed;
}

BytesWritten bytes_written(const Request& request, const Plan& plan) {
  const auto tilts = static_cast<double>(request.tilts.size());
  const double items = tilts * static_cast<double>(plan.configurations() * plan.tiles.size());
  BytesWritten bytes{.journal = items * kJournalRecordBytes, .patterns = diffraction_bytes(plan)};
  for (std::size_t t = 0; t < request.tilts.size(); ++t)
    bytes.journal +=
        static_cast<double>(plan.configurations() * plan.scan.probes() * item_channels(plan, t)) *
        sizeof(float);
  double names = 0;
  for (const auto& signal : signals_of(plan))
    names += static_cast<double>(image_names(request, plan, signal).size());
  bytes.images = names * tilts * static_cast<double>(plan.scan.ny * plan.scan.nx) * sizeof(float);
  return bytes;
}

}  // namespace aetos::simulation
