// How evenly the work of a simulation is dealt to 1 to 10,000 ranks: the program's own items and partition,
// nothing is simulated. docs/scaling.md builds on it; bench/scaling.py measures the rates.
#include <algorithm>
#include <numeric>

#include "aetos/config/load.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/parallel/partition.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/simulation/work_items.hpp"
#include "benchmark.hpp"

namespace aetos::bench {
namespace {

nlohmann::json shares(const std::vector<double>& cost, double total) {
  nlohmann::json rows = nlohmann::json::array();
  for (const std::size_t ranks : {1, 2, 4, 10, 100, 1000, 10000}) {
    double most = 0;
    for (const auto& part : weighted_partition(cost, ranks)) {
      double work = 0;
      for (const auto i : part) work += cost[i];
      most = std::max(most, work);
    }
    rows.push_back({{"ranks", ranks}, {"efficiency", total / (static_cast<double>(ranks) * most)}});
  }
  return rows;
}

nlohmann::json scaling_of(const std::string& config) {
  const auto plan = pipeline::make_plan(config::load(std::string(AETOS_SOURCE_DIR) + "/bench/" + config));
  const auto request = plan.simulation_request();
  simulation::Plan work;
  simulation::Window window;
  std::vector<double> cost;
  double wave_slices = 0;
  // What every rank of a run does for itself before it starts, and what they share out by tilts.
  double plan_s = seconds([&] {
    work = simulation::make_plan(request);
    window = simulation::expected_window(request, work);
    simulation::cut_into_tiles(work, window.whole);
  });
  const double weigh_s = seconds([&] {
    for (std::size_t tilt = 0; tilt < request.tilts.size(); ++tilt)
      for (const auto& tile : simulation::tile_work(request, work, window, tilt)) {
        cost.push_back(tile.cost);
        wave_slices += tile.wave_slices;
      }
  });
  plan_s += seconds([&] {
    const auto one = cost;
    for (std::size_t c = 1; c < work.configurations(); ++c) cost.insert(cost.end(), one.begin(), one.end());
    (void)weighted_partition(cost, 1000);
  });
  const double channels = static_cast<double>(multislice::channel_layout(work.imaging).count);
  double records = 0;
  for (const auto& tile : work.tiles) records += static_cast<double>(tile.probes()) * channels * 4 + 48;
  const double total = std::accumulate(cost.begin(), cost.end(), 0.0);
  const auto configurations = static_cast<double>(work.configurations());
  return {{"atoms", plan.specimen->size()},
          {"tilts", request.tilts.size()},
          {"configurations", work.configurations()},
          {"image_px", {work.scan.ny, work.scan.nx}},
          {"window_px", window.px},
          {"slice_count", work.slice_count()},
          {"items", cost.size()},
          {"wave_slices", wave_slices * configurations},
          {"largest_item", *std::max_element(cost.begin(), cost.end()) / total},
          {"journal_bytes", records * configurations * static_cast<double>(request.tilts.size())},
          {"plan_s", plan_s},
          {"weigh_s", weigh_s},
          {"shares", shares(cost, total)}};
}

nlohmann::json run() {
  return {{"zr1-like", scaling_of("scaling-zr1-like.yaml")}, {"20nm", scaling_of("scaling-20nm.yaml")}};
}

const Registration registration("scaling", run);

}  // namespace
}  // namespace aetos::bench
