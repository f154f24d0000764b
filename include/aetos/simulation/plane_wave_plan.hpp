#pragma once

#include <cstddef>
#include <vector>

#include "aetos/multislice/grid.hpp"
#include "aetos/simulation/plan.hpp"

/// What a request for plane-wave images means (`multislice.mode: plane_wave`): high-resolution images through
/// an objective lens, and selected-area diffraction, of one parallel beam for the whole cell.
namespace aetos::simulation {

/// Rows of an image that are journalled together; ranks of a group hold whole ones.
inline constexpr std::size_t kStripRows = 8;

struct PlaneWavePlan {
  /// As asked for, but that the convergence angle is that of the widest objective aperture, for which probes
  /// and images share their arithmetic.
  Request request;
  /// `imaging` are the detectors of kind `image`, `cameras` is empty, `tiles` are strips of kStripRows rows,
  /// the lateral grid is the whole cell, periodic.
  Plan plan;
  std::vector<multislice::DetectorOptions> patterns;  ///< detectors of kind `pixelated`
  std::size_t binning = 1;                            ///< cell pixels of an image's pixel, along either axis
  std::size_t first_row = 0, first_column = 0;        ///< of the cell, where the image begins
  /// Ranks that share one wave where there are enough.
  std::size_t ranks_per_wave = 1;

  multislice::FftGrid grid() const;
  std::size_t strip_px() const { return kStripRows * binning; }  ///< rows of the cell
};

/// Throws InputError where a request cannot be simulated: detectors that need a probe, finite slices, sides
/// of a periodic cell that no common pixel divides.
PlaneWavePlan make_plane_wave_plan(const Request& request);

/// What each of `ranks` that share a wave holds at most. Falls with the ranks but for the end, when one of
/// them puts the images of a tilt together.
double plane_wave_bytes(const PlaneWavePlan& plan, std::size_t ranks);

/// How many of `available` ranks share one wave: multislice.ranks_per_wave, or the smallest power of two for
/// which a rank holds at most 1 GiB. A power of two is taken where there are not enough.
std::size_t group_size(const PlaneWavePlan& plan, std::size_t available);

}  // namespace aetos::simulation
