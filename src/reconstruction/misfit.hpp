#pragma once

#include <memory>
#include <vector>

#include "solve.hpp"

namespace aetos::reconstruction {

/// Half the sum of squares of Pu - b over some of the projections, and its gradient, on all ranks.
class Misfit {
 public:
  /// Of the projections with these indices.
  Misfit(const Communicator& comm, const Problem& problem, std::vector<std::size_t> projections);
  /// Of all projections.
  Misfit(const Communicator& comm, const Problem& problem);

  /// Keeps the residual Pu - b of a volume; its R-factors, the same bits on any number of ranks. Collective.
  tomography::RFactors project(View<const float, 3> volume);

  /// Keeps Pu in the residual's place. Collective.
  void apply(View<const float, 3> volume);
  /// The projections that this rank computes.
  Range own() const;
  /// Gets the residuals that other ranks have, once each has its own. Collective.
  void share();

  /// The sums behind the last R-factors, (projection, row of all ranks).
  const Array<tomography::RowSums, 2>& sums() const { return sums_; }
  /// The residual (projection, u, padded v), to be weighted or filtered before it goes back.
  Array<float, 3>& residual() { return residual_; }
  const std::vector<std::size_t>& projections() const { return projections_; }

  /// Calls use(first plane, planes) with the residual's back projection on this rank's planes, a few at once
  /// where the projector can: then the gradient needs no whole volume.
  template <class Use>
  void gradient(const Use& use) const {
    const std::size_t nx = problem_.plan.geometry.volume_px[2], rows = problem_.volume_shape()[2];
    const Range planes = problem_.mine.planes;
    const std::size_t most = projector_->all_planes_at_once() ? planes.size() : kPlanes;
    for (std::size_t z = planes.begin; z < planes.end; z += most) {
      Array<float, 3> part({std::min(most, planes.end - z), nx, rows});
      projector_->back(residual_, z, part);
      use(z, part.view());
    }
  }

 private:
  static constexpr std::size_t kPlanes = 16;
  void forward(View<const float, 3> volume);
  const Communicator& comm_;
  const Problem& problem_;
  std::vector<std::size_t> projections_;
  std::unique_ptr<tomography::ProjectorPair> projector_;
  Array<float, 3> residual_;
  Array<tomography::RowSums, 2> sums_;
};

}  // namespace aetos::reconstruction
