#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/parallel/partition.hpp"

/// Peaks of a volume. Serial kernels on a slab of planes; lengths in voxels unless a name says Å.
namespace aetos::tracing {

/// Some planes of a volume (z, y, x), with as many more on both sides (`halo_planes`) as the kernels look at.
struct Slab {
  View<const float, 3> values;          ///< (planes held, y, x)
  std::size_t first_plane = 0;          ///< index in the volume of the first plane held
  std::array<std::size_t, 3> volume{};  ///< z, y, x
};

/// What decides on a peak's fit.
struct PeakOptions {
  double fit_radius = 2.6;   ///< sphere whose voxels are fitted
  double integration = 2.9;  ///< half side of the box of the integrated intensity
  double smoothing = 0.7;    ///< sigma of the Gaussian that the search for maxima smooths with
  int interpolation = 3;     ///< steps per voxel of the finer grid about a maximum
};

/// A local maximum of the smoothed volume.
struct Maximum {
  std::array<std::int64_t, 3> voxel{};  ///< z, y, x in the volume
  std::array<double, 3> centre{};       ///< the same, or the mean of a plateau of equal voxels
  float height = 0;                     ///< smoothed
};

enum class PeakFit : std::int32_t { gaussian, failed };

/// A peak with its fit; plain data, so that ranks can exchange it.
struct Peak {
  std::array<double, 3> centre{};                ///< z, y, x index in the volume
  double smoothed = 0;                           ///< height of the maximum in the smoothed volume
  double height = 0, sigma = 0, background = 0;  ///< of the Gaussian; a failed fit has sigma 0
  double residual = 0;                           ///< root mean square of the fit's residual over its height
  double integrated = 0;                         ///< sum over the box, voxels at its faces by their share
  PeakFit fit = PeakFit::failed;
};

/// Planes needed on both sides of those that a rank owns.
std::size_t halo_planes(const PeakOptions& options);

/// The slab convolved with a Gaussian of `sigma` voxels cut at 4 sigma and renormalised at the border. Right
/// to the last bit, whatever slab a plane comes in, except within 4 sigma of the slab's own ends.
Array<float, 3> smooth(const Slab& slab, double sigma);

/// Local maxima (26 neighbours) of `smoothed` in the planes `own` (volume indices) above `floor`. Equal
/// neighbouring voxels are one maximum at their mean; such a plateau wider than a few voxels is none (counted
/// in `plateaus`).
std::vector<Maximum> local_maxima(const Slab& smoothed, Range own, float floor, std::size_t& plateaus);
/// The heights alone, of which noise makes many.
std::vector<float> heights_of_maxima(const Slab& smoothed, Range own, float floor, std::size_t& plateaus);

/// Interpolates the smoothed volume (Keys 1981, cubic convolution) on the finer grid about the maximum, then
/// fits height, centre, width and background of a Gaussian to the volume's voxels within the sphere
/// (Levenberg-Marquardt). A fit that does not converge, or leaves its neighbourhood, keeps the interpolated
/// maximum and says so.
Peak fit_peak(const Slab& slab, const Slab& smoothed, const Maximum& maximum, const PeakOptions& options);

}  // namespace aetos::tracing
