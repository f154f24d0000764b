#pragma once

#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/tomography/projector.hpp"

/// The inner loops of a plain tilt series: rows of voxels along y added to rows of detector pixels, and back.
namespace aetos::tomography {

/// Where the voxels of a plain series fall: u = a (x - cx) + b (z - cz) + cu, with (a, b) = (cos, -sin) of
/// the tilt.
struct Lines {
  std::size_t nz = 0, nx = 0, nu = 0;
  std::vector<double> along_x, along_z;  ///< a and b of each projection
};

Lines make_lines(const Geometry& geometry);

/// How a voxel at detector coordinate u shares itself among pixels.
enum class Footprint {
  bilinear,     ///< the two nearest pixels; nothing outside 0 .. nu - 1 (RESIRE's back projector)
  sub_sampled,  ///< the mean of four bilinear sub-samples at +-1/4 in x and z (RESIRE's CUDA code for films)
};

/// images (projection, u, padded y) <- the volume (z, x, padded y) splatted with the sub-sampled footprint.
void project(const Lines& lines, View<const float, 3> volume, std::size_t first, View<float, 3> images);
/// planes <- what images give to the planes from `first_plane` on; with the sub-sampled
/// footprint the adjoint of `project`.
void gather(const Lines& lines, Footprint footprint, View<const float, 3> images, std::size_t first_plane,
            View<float, 3> planes);

}  // namespace aetos::tomography
