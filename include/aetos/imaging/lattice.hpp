#pragma once

#include <cstddef>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"

/// Pixel size and scan distortion from the Fourier spots of a crystal of known spacings.
namespace aetos::imaging {

using Mat2 = Eigen::Matrix2d;

/// Two sets of lattice planes seen edge on: their spacings, and the angle between their normals. All spots
/// are whole multiples of these two.
struct Lattice {
  double d1_A = 0, d2_A = 0, angle_deg = 90;
  /// The spot (h, k) in the crystal's own frame, 1/Å; the first is along x.
  Vec2 spot(int h, int k) const;
};

/// A spot of the spectrum, cycles per pixel (x, y).
struct Spot {
  Vec2 place = Vec2::Zero();
  double amplitude = 0;  ///< |F| at its highest bin
};

/// Local maxima of the image's power spectrum over its noise, one of each pair about k = 0, strongest first,
/// at most `most`. Noise is the median of the ring of the same |k|; a maximum counts from 5 times its
/// amplitude and 0.04 of the strongest, above the window's sidelobes. Nearer to k = 0 than `least` cycles per
/// pixel, where drifts of the background are, none is sought.
std::vector<Spot> find_spots(View<const float, 2> image, double least, std::size_t most);

/// A spot that the lattice explains.
struct IndexedSpot {
  int h = 0, k = 0;
  Vec2 place = Vec2::Zero();     ///< measured, cycles per pixel
  Vec2 residual = Vec2::Zero();  ///< measured minus fitted
  Vec2 error = Vec2::Zero();     ///< that noise gives its place
  double signal_to_noise = 0;
};

/// What the lattice says of the scan. A pixel step along x is `pixel_x_A` along the fast scan direction; one
/// along y is `pixel_y_A` across it and `shear` times that along it.
struct ScanGeometry {
  double pixel_x_A = 0, pixel_y_A = 0, shear = 0;
  double pixel_A() const;         ///< sqrt(pixel_x_A pixel_y_A): a square pixel of the same area
  double axes_angle_deg() const;  ///< between the directions of x and y; 90 without shear
  /// Å (x, y) of a step of pixels (x, y): [[pixel_x, shear pixel_y], [0, pixel_y]].
  Mat2 matrix() const;
  /// Steps of square pixels of pixel_A() -> pixels recorded: for `resample`, which then shows the image
  /// without distortion.
  Mat2 square_to_recorded() const;
};

struct LatticeFit {
  ScanGeometry geometry, error;  ///< error: one standard deviation of each
  double pixel_error_A = 0;      ///< of pixel_A()
  double rotation_deg = 0;       ///< from x to the first spot
  std::vector<IndexedSpot> spots;
  double residual_bins = 0;  ///< rms of the spots about the fit, in bins of the spectrum
  double explained = 0;  ///< share of the amplitude of the found spots (find_spots) that the lattice explains
};

/// Fits the lattice to the spots of an image whose pixel is about `pixel_A`, in any rotation; pixel and
/// angles may be off by the share `tolerance`. Every spot up to 0.48 cycles per pixel that stands 5 times
/// above the noise takes part, weighted by its error. Errors are what the spots' noise gives, or their
/// residuals where those are larger. `place` (the file) is for messages. Throws InputError for an image
/// without two spots, and for spots that are not this lattice's.
LatticeFit fit_lattice(View<const float, 2> image, const Lattice& lattice, double pixel_A, double tolerance,
                       const std::string& place);

}  // namespace aetos::imaging
