#include "aetos/simulation/work_items.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/core/error.hpp"
#include "aetos/multislice/potential.hpp"
#include "aetos/multislice/tile_engine.hpp"

namespace aetos::simulation {
namespace {

/// Building a slice of a potential over one wave-slice per pixel: a transform on a grid twice as fine each
/// way, two of the band limit, and the exponential.
constexpr double kPotentialPerWaveSlice = 12;
constexpr double kFinitePerProjected = 3;  ///< the same for a finite slice of 2 Å
constexpr double kPotentialHalo_A = 4;
constexpr std::size_t kMostProbes = 150;  ///< along an axis, that an estimate looks at

/// Tiles as rows and columns of rectangles, in Å.
struct TileGrid {
  std::vector<double> low, high;  ///< ascending
  double period = 0, reach = 0;

  template <class Mark>
  void felt_from(double place, Mark mark) const {
    for (std::size_t i = 0; i < low.size(); ++i) {
      const double from = low[i] - reach, width = high[i] + reach - from;
      double offset = place - from;
      if (period > 0) offset -= std::floor(offset / period) * period;
      if (offset >= 0 && offset <= width) mark(i);
    }
  }
};

TileGrid axis_of(const Plan& plan, bool along_y, double period, double reach) {
  TileGrid axis;
  axis.period = period;
  axis.reach = reach;
  for (const auto& tile : plan.tiles) {
    if (along_y ? tile.x_begin != 0 : tile.y_begin != 0) continue;
    const Vec2 first = plan.scan.probe(tile.y_begin, tile.x_begin);
    const Vec2 last = plan.scan.probe(tile.y_end - 1, tile.x_end - 1);
    axis.low.push_back(along_y ? first.y() : first.x());
    axis.high.push_back(along_y ? last.y() : last.x());
  }
  return axis;
}

double reach_of(const Plan& plan, const Window& window) {
  const double width = std::max(static_cast<double>(window.px[0]) * plan.grid.sampling_y_A,
                                static_cast<double>(window.px[1]) * plan.grid.sampling_x_A);
  return window.whole ? std::numeric_limits<double>::infinity() : width / 2;
}

/// Rows and columns of tiles.
std::array<TileGrid, 2> tile_grids(const Plan& plan, const Window& window) {
  const double reach = reach_of(plan, window);
  return {axis_of(plan, true, static_cast<double>(plan.grid.cell_y_px) * plan.grid.sampling_y_A, reach),
          axis_of(plan, false, static_cast<double>(plan.grid.cell_x_px) * plan.grid.sampling_x_A, reach)};
}

/// Rows and columns of single probes, every `stride`-th.
std::array<TileGrid, 2> probe_grids(const Plan& plan, const Window& window, std::size_t stride) {
  auto grids = tile_grids(plan, window);
  for (TileGrid& grid : grids) grid.low.clear();
  for (std::size_t y = 0; y < plan.scan.probes_y(); y += stride)
    grids[0].low.push_back(plan.scan.probe(y, 0).y());
  for (std::size_t x = 0; x < plan.scan.probes_x(); x += stride)
    grids[1].low.push_back(plan.scan.probe(0, x).x());
  for (TileGrid& grid : grids) grid.high = grid.low;
  return grids;
}

/// Whether a tile feels an atom in a slice: (tile row, tile column, slice).
Array<std::uint8_t, 3> felt_slices(const Request& request, const Plan& plan, const Window& window,
                                   const std::array<TileGrid, 2>& grids, std::size_t tilt) {
  const auto& [rows, columns] = grids;
  const auto& slices = plan.slices[tilt];
  Array<std::uint8_t, 3> felt({rows.low.size(), columns.low.size(), slices.count});
  const auto atoms = beam_atoms_at_rest(request, plan, tilt);
  const bool finite = request.multislice.slicing == multislice::Slicing::finite;
  const double along_beam = finite ? multislice::AtomPlanes::kReach_A : 0;
  for (const auto& r : atoms.position) {
    const std::size_t first = slices.slice_of(r.z() - along_beam), last = slices.slice_of(r.z() + along_beam);
    const auto mark = [&](std::size_t y, std::size_t x) {
      for (std::size_t s = first; s <= last; ++s) felt(y, x, s) = 1;
    };
    if (window.whole) {
      for (std::size_t y = 0; y < rows.low.size(); ++y)
        for (std::size_t x = 0; x < columns.low.size(); ++x) mark(y, x);
      continue;
    }
    rows.felt_from(r.y(),
                   [&](std::size_t y) { columns.felt_from(r.x(), [&](std::size_t x) { mark(y, x); }); });
  }
  return felt;
}

}  // namespace

Journal::Key key_of(const WorkItem& item) {
  return static_cast<Journal::Key>(item.tilt) << 48 | static_cast<Journal::Key>(item.configuration) << 32 |
         item.tile;
}

WorkItem item_of(Journal::Key key) {
  return {static_cast<std::size_t>(key >> 48), static_cast<std::size_t>(key >> 32 & 0xffff),
          static_cast<std::size_t>(key & 0xffffffff)};
}

std::vector<WorkItem> all_items(const Plan& plan) {
  if (plan.rotation.size() > 0xffff)
    throw InputError("tilts", fmt::format("{} tilts", plan.rotation.size()), "at most 65535");
  if (plan.configurations() > 0xffff)
    throw InputError("specimen.thermal.frozen_phonons", fmt::format("{}", plan.configurations()),
                     "at most 65535");
  std::vector<WorkItem> items;
  items.reserve(plan.rotation.size() * plan.configurations() * plan.tiles.size());
  for (std::size_t t = 0; t < plan.rotation.size(); ++t)
    for (std::size_t c = 0; c < plan.configurations(); ++c)
      for (std::size_t i = 0; i < plan.tiles.size(); ++i) items.push_back({t, c, i});
  return items;
}

std::vector<TileWork> tile_work(const Request& request, const Plan& plan, const Window& window,
                                std::size_t tilt) {
  const auto felt = felt_slices(request, plan, window, tile_grids(plan, window), tilt);
  const double step = plan.scan.step_A();
  const bool finite = request.multislice.slicing == multislice::Slicing::finite;
  const double potential = kPotentialPerWaveSlice * (finite ? kFinitePerProjected : 1);
  std::vector<TileWork> work;
  work.reserve(plan.tiles.size());
  for (std::size_t i = 0; i < plan.tiles.size(); ++i) {
    const auto& tile = plan.tiles[i];
    const auto row = felt[i / felt.extent(1)];
    const auto slices = row[i % felt.extent(1)];
    const auto occupied = static_cast<double>(std::count(slices.begin(), slices.end(), std::uint8_t{1}));
    const auto side = [&](std::size_t window_px, double sampling, std::size_t probes) {
      return window.whole ? 1.0
                          : 1 + (static_cast<double>(probes) * step + kPotentialHalo_A) /
                                    (static_cast<double>(window_px) * sampling);
    };
    const double area = side(window.px[0], plan.grid.sampling_y_A, tile.y_end - tile.y_begin) *
                        side(window.px[1], plan.grid.sampling_x_A, tile.x_end - tile.x_begin);
    const auto probes = static_cast<double>(tile.probes() * plan.focal_series.size());
    // A little for every probe, so that tiles over vacuum are shared out as well.
    work.push_back({occupied * (probes + potential * area) + 0.05 * probes, occupied * probes, occupied});
  }
  return work;
}

double probe_wave_slices(const Request& request, const Plan& plan, const Window& window, std::size_t tilt) {
  const std::size_t longest = std::max(plan.scan.probes_y(), plan.scan.probes_x());
  const std::size_t stride = 1 + longest / kMostProbes;
  const auto felt = felt_slices(request, plan, window, probe_grids(plan, window, stride), tilt);
  const auto counted = static_cast<double>(std::count(felt.begin(), felt.end(), std::uint8_t{1}));
  const auto looked_at = static_cast<double>(felt.extent(0) * felt.extent(1));
  return counted * static_cast<double>(plan.scan.probes() * plan.focal_series.size()) / looked_at;
}

}  // namespace aetos::simulation
