#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "interpolated.hpp"

namespace aetos::analysis {

/// An empty place of a lattice with this share of the atoms' mean or more holds an atom that tracing missed.
/// Traced from a simulated experiment (docs/study.md), vacancies have 0.01 to 0.27 of it, nine in ten missed
/// atoms 0.48 or more.
inline constexpr double kMissedAtom = 0.4;

/// Means of a volume over spheres: of points on a grid of 0.25 Å in each, interpolated between eight voxels.
class SphereMean {
 public:
  /// Throws InputError for a file that is no volume or does not say its voxel's size.
  SphereMean(const std::string& volume, double radius_A);
  /// None where the sphere leaves the volume.
  std::optional<double> at(const Vec3& place) const;
  /// Over several places; none where all leave the volume.
  std::optional<double> mean_at(std::span<const Vec3> places) const;

 private:
  InterpolatedVolume volume_;
  std::vector<Vec3> offsets_;
};

}  // namespace aetos::analysis
