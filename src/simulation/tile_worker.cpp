#include "aetos/simulation/tile_worker.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "aetos/simulation/diffraction.hpp"

namespace aetos::simulation {
namespace {

struct Interval {
  double low = std::numeric_limits<double>::max(), high = std::numeric_limits<double>::lowest();
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// Whether value lies inside, also after moving it by whole periods.
  bool holds(double value, double period) const {
    if (period <= 0) return value >= low && value <= high;
    if (high - low >= period) return true;
    const double offset = value - low;
    return offset - std::floor(offset / period) * period <= high - low;
  }
};

}  // namespace

AtomFinder::AtomFinder(multislice::BeamAtoms atoms, const Vec2& period_A)
    : atoms_(std::move(atoms)), period_A_(period_A) {
  if (period_A_.y() > 0) return;
  by_y_.reserve(atoms_.size());
  for (std::size_t i = 0; i < atoms_.size(); ++i) by_y_.emplace_back(atoms_.position[i].y(), i);
  std::sort(by_y_.begin(), by_y_.end());
}

multislice::BeamAtoms AtomFinder::near(std::span<const Vec2> probes, double reach_A) const {
  if (!std::isfinite(reach_A)) return atoms_;
  Interval x, y;
  for (const auto& p : probes) {
    for (double sign : {-1., 1.}) {
      x.include(p.x() + sign * reach_A);
      y.include(p.y() + sign * reach_A);
    }
  }
  std::vector<std::size_t> candidates;
  if (period_A_.y() > 0) {
    candidates.resize(atoms_.size());
    std::iota(candidates.begin(), candidates.end(), std::size_t{0});
  } else {
    auto at = std::lower_bound(by_y_.begin(), by_y_.end(), std::pair(y.low, std::size_t{0}));
    for (; at != by_y_.end() && at->first <= y.high; ++at) candidates.push_back(at->second);
    std::sort(candidates.begin(), candidates.end());
  }
  multislice::BeamAtoms found;
  for (std::size_t i : candidates) {
    if (!x.holds(atoms_.position[i].x(), period_A_.x()) || !y.holds(atoms_.position[i].y(), period_A_.y()))
      continue;
    found.atomic_number.push_back(atoms_.atomic_number[i]);
    found.position.push_back(atoms_.position[i]);
    found.weight.push_back(atoms_.weight[i]);
  }
  return found;
}

TileWorker::TileWorker(const Request& request, const Plan& plan, const multislice::EngineSettings& settings,
                       bool cameras)
    : request_(request), plan_(plan), cameras_(cameras), engine_(settings) {}

multislice::TileCost TileWorker::simulate(std::size_t tilt, std::size_t configuration,
                                          std::span<const Vec2> probes, View<float, 2> out) {
  if (!atoms_ || prepared_ != std::pair(tilt, configuration)) {
    const auto& grid = engine_.settings().grid;
    const Vec2 period(static_cast<double>(grid.cell_x_px) * grid.sampling_x_A,
                      static_cast<double>(grid.cell_y_px) * grid.sampling_y_A);
    atoms_.emplace(beam_atoms(request_, plan_, tilt, configuration), period);
    prepared_ = {tilt, configuration};
  }
  if (cameras_ && reads_cameras(plan_, tilt)) {
    if (!camera_engine_) {
      auto settings = engine_.settings();
      settings.detectors.insert(settings.detectors.end(), plan_.cameras.begin(), plan_.cameras.end());
      camera_engine_.emplace(std::move(settings));
    }
    return camera_engine_->simulate(atoms_->near(probes, engine_.reach_A()), plan_.slices[tilt], probes, out);
  }
  return engine_.simulate(atoms_->near(probes, engine_.reach_A()), plan_.slices[tilt], probes, out);
}

}  // namespace aetos::simulation
