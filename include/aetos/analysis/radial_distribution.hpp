#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "aetos/analysis/triangulation.hpp"
#include "aetos/core/structure.hpp"

namespace aetos::analysis {

/// Pairs by distance, and the volume in which they could have been. Bin k holds the distances d with
/// ceil(d / step + 0.01) = k + 1, as in the published curves: its edges lie 0.01 step below k step and (k +
/// 1) step.
struct RadialDistribution {
  double step_A = 0;
  std::size_t atoms = 0;
  std::vector<std::int64_t> pairs;  ///< ordered pairs per bin, self pairs left out
  /// By two atomic numbers (first <= second): ordered pairs from the first species to the second.
  std::map<std::pair<int, int>, std::vector<std::int64_t>> partial;
  std::vector<double> volume_A3;  ///< sum over atoms of the part of the bin's shell that lies in the sample
  double sample_volume_A3 = 0;    ///< of the alpha shape; 0 if there is none

  double centre_A(std::size_t bin) const { return (static_cast<double>(bin) + 0.5) * step_A; }
  /// g(r) = (pairs / N) / (volume / V), without a unit; empty without a sample volume.
  std::vector<double> g() const;
};

/// `alpha`: the tetrahedra of the sample's alpha shape.
RadialDistribution radial_distribution(const Structure& atoms, std::span<const Tetrahedron> alpha,
                                       double step_A, double r_max_A);

/// Sum over atoms of the share of the sphere of each radius about the atom that lies in the tetrahedra. 64
/// points on every sphere, turned otherwise about each atom; the sample is a mask of voxels of 0.25 Å.
std::vector<double> spheres_inside(std::span<const Vec3> points, std::span<const Tetrahedron> sample,
                                   std::span<const double> radii_A);

/// The first minimum of g after its first peak.
struct FirstMinimum {
  double peak_A = 0;
  double cutoff_A = 0;
  double low_A = 0, high_A = 0;  ///< g stays within 5 % (or 0.01) of its minimum between these
  double g_minimum = 0;
};
/// The first peak is where g, smoothed by a Gaussian of 0.05 Å, is highest below 1.3 times the distance
/// within which the atoms have one neighbour each on average; the minimum is its lowest place from there
/// to 1.45 times the peak's distance, and the cutoff the middle of the range about it in which g stays near.
/// A wide range says that the cutoff is uncertain. Pairs nearer than 0.5 Å do not count. None without pairs.
std::optional<FirstMinimum> first_minimum(const RadialDistribution& distribution);

}  // namespace aetos::analysis
