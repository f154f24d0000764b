#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "aetos/multislice/tile_engine.hpp"
#include "aetos/simulation/plan.hpp"

namespace aetos::simulation {

/// Leaves out the atoms that a tile cannot feel.
class AtomFinder {
 public:
  /// `period_A`: (x, y) length after which the specimen repeats, 0 where it does not.
  AtomFinder(multislice::BeamAtoms atoms, const Vec2& period_A);
  /// Atoms within `reach_A` along x and y of the rectangle around `probes`, in the order of the specimen.
  multislice::BeamAtoms near(std::span<const Vec2> probes, double reach_A) const;
  const multislice::BeamAtoms& all() const { return atoms_; }

 private:
  multislice::BeamAtoms atoms_;
  Vec2 period_A_;
  std::vector<std::pair<double, std::size_t>> by_y_;  ///< where y does not repeat
};

/// Simulates tiles of a plan with one engine. Turns and displaces the specimen once per tilt and
/// configuration, as long as tiles of one come one after the other.
class TileWorker {
 public:
  /// `cameras`: at tilts where pixelated detectors are read, their channels stand between those of the images
  /// and the transmitted intensity (item_channels).
  TileWorker(const Request& request, const Plan& plan, const multislice::EngineSettings& settings,
             bool cameras = false);
  /// Detector values of `probes`; out: (probe, channel).
  multislice::TileCost simulate(std::size_t tilt, std::size_t configuration, std::span<const Vec2> probes,
                                View<float, 2> out);
  const multislice::TileEngine& engine() const { return engine_; }

 private:
  const Request& request_;
  const Plan& plan_;
  bool cameras_;
  multislice::TileEngine engine_;
  std::optional<multislice::TileEngine> camera_engine_;  ///< made where it is first needed
  std::optional<AtomFinder> atoms_;
  std::pair<std::size_t, std::size_t> prepared_{};
};

}  // namespace aetos::simulation
