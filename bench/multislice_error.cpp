#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/structure.hpp"
#include "aetos/multislice/tile_engine.hpp"
#include "benchmark.hpp"

/// What a setting of the multislice costs and how far its dark-field images are from better ones, on the
/// demo's particle of 608 atoms, 30 mrad, 300 kV, slices of 2 Å: windows against the whole cell of 40 Å, and
/// samplings of the whole cell against 0.025 Å.
namespace aetos::bench {
namespace {

using multislice::DetectorKind;
using nlohmann::json;

multislice::BeamAtoms demo_particle() {
  std::ifstream file(AETOS_SOURCE_DIR "/configs/specimens/small.extxyz");
  std::string line;
  std::getline(file, line);
  std::getline(file, line);
  multislice::BeamAtoms atoms;
  std::string symbol;
  double x = 0, y = 0, z = 0;
  while (file >> symbol >> x >> y >> z && std::getline(file, line)) {
    atoms.atomic_number.push_back(atomic_number(symbol));
    atoms.position.emplace_back(x, y, z);
    atoms.weight.push_back(1);
  }
  return atoms;
}

std::vector<Vec2> raster(int n, double step_A) {
  std::vector<Vec2> probes;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i)
      probes.emplace_back(step_A * (i - (n - 1) / 2.0), step_A * (j - (n - 1) / 2.0));
  return probes;
}

/// The whole cell of 40 Å in `cell_px` pixels a side.
multislice::EngineSettings whole_cell(std::size_t cell_px) {
  multislice::EngineSettings s;
  s.microscope.convergence_mrad = 30;
  s.detectors = {{"39-60 mrad", DetectorKind::annular, 39, 60, 1},
                 {"39-48 mrad", DetectorKind::annular, 39, 48, 1},
                 {"0-20 mrad", DetectorKind::annular, 0, 20, 1}};
  const double sampling_A = 40 / static_cast<double>(cell_px);
  s.grid = {sampling_A, sampling_A, cell_px, cell_px, Vec2(-20, -20)};
  s.window_x_px = s.window_y_px = cell_px;
  return s;
}

struct Outcome {
  Array<float, 2> values;
  multislice::TileCost cost;
};

Outcome simulate(const multislice::EngineSettings& settings, const std::vector<Vec2>& probes) {
  multislice::TileEngine engine(settings);
  Outcome outcome{Array<float, 2>({probes.size(), engine.channels().count}), {}};
  outcome.cost = engine.simulate(demo_particle(), {2, -10, 20}, probes, outcome.values);
  return outcome;
}

double relative_rms(const Outcome& a, const Outcome& b, std::size_t channel) {
  double difference = 0, reference = 0;
  for (std::size_t p = 0; p < b.values.extent(0); ++p) {
    const auto ours = static_cast<double>(a.values(p, channel)),
               true_value = static_cast<double>(b.values(p, channel));
    difference += (ours - true_value) * (ours - true_value);
    reference += true_value * true_value;
  }
  return std::sqrt(difference / reference);
}

json row(const Outcome& ours, const Outcome& reference, const multislice::EngineSettings& settings) {
  json result = {
      {"window_px", settings.window_x_px},
      {"sampling_A", settings.grid.sampling_x_A},
      {"waves_ms_per_probe", 1e3 * ours.cost.waves_s / static_cast<double>(ours.values.extent(0))}};
  for (std::size_t c = 0; c < settings.detectors.size(); ++c)
    result["error " + settings.detectors[c].name] = relative_rms(ours, reference, c);
  return result;
}

json window_error() {
  const auto probes = raster(12, 1.617);
  const auto whole = whole_cell(400);
  const Outcome reference = simulate(whole, probes);
  json windows = json::array();
  for (const std::size_t px : {48, 64, 80, 96, 120, 128, 160, 192, 256}) {
    auto window = whole;
    window.grid.cell_x_px = window.grid.cell_y_px = 0;
    window.window_x_px = window.window_y_px = px;
    window.probe_cell_A = 40;
    windows.push_back(row(simulate(window, probes), reference, window));
  }
  return {{"probes", probes.size()}, {"windows", windows}};
}

/// What two samplings h say about h = 0 if the error goes with h².
Outcome extrapolated(const Outcome& coarse, double coarse_h, const Outcome& fine, double fine_h) {
  const double weight = coarse_h * coarse_h / (coarse_h * coarse_h - fine_h * fine_h);
  Outcome result{fine.values.clone(), {}};
  result.cost.waves_s = coarse.cost.waves_s + fine.cost.waves_s;
  for (std::size_t i = 0; i < fine.values.size(); ++i)
    result.values.data()[i] = static_cast<float>(weight * static_cast<double>(fine.values.data()[i]) +
                                                 (1 - weight) * static_cast<double>(coarse.values.data()[i]));
  return result;
}

json sampling_error() {
  const auto probes = raster(6, 4);
  const Outcome reference = simulate(whole_cell(1600), probes);
  json samplings = json::array(), pairs = json::array();
  std::map<std::size_t, Outcome> outcomes;
  for (const std::size_t px : {400, 450, 500, 600, 800, 1200}) {
    const auto settings = whole_cell(px);
    outcomes[px] = simulate(settings, probes);
    samplings.push_back(row(outcomes[px], reference, settings));
  }
  using Pair = std::pair<std::size_t, std::size_t>;
  for (const auto& [coarse, fine] : {Pair{400, 500}, {400, 800}, {500, 800}, {600, 800}}) {
    const auto settings = whole_cell(fine);
    const Outcome both = extrapolated(outcomes[coarse], 40 / static_cast<double>(coarse), outcomes[fine],
                                      40 / static_cast<double>(fine));
    pairs.push_back(row(both, reference, settings));
    pairs.back()["with_sampling_A"] = 40 / static_cast<double>(coarse);
  }
  return {{"probes", probes.size()}, {"samplings", samplings}, {"extrapolated", pairs}};
}

const Registration windows("window_error", window_error);
const Registration samplings("sampling_error", sampling_error);

}  // namespace
}  // namespace aetos::bench
