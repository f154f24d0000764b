#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aetos/io/tilt_series.hpp"
#include "aetos/reconstruction/reconstruct.hpp"
#include "aetos/tomography/projector.hpp"

namespace aetos::reconstruction {

/// A request checked against the header of its input: what will be reconstructed, before any image is read.
struct Plan {
  std::string signal;             ///< name of the images in the file
  std::vector<std::size_t> kept;  ///< the file's images that are used, in its order
  std::size_t file_ny = 0, file_nx = 0;
  tomography::Geometry geometry;  ///< after the tilt axis was turned to y
  double pixel_A = 0;
  bool plain = true;            ///< theta alone: rows are independent
  bool turned = false;          ///< images are transposed, because the file's tilt axis is x
  bool accelerated = false;     ///< with momentum
  bool bounded_solver = false;  ///< one of PETSc TAO's
  std::size_t subsets = 1;      ///< of os-resire
  int iterations = 0;
  std::vector<std::string> notes;  ///< to be said, nothing wrong
  std::vector<std::string> warnings;
};

/// Throws InputError where the request cannot be met.
Plan make_plan(const Request& request);

}  // namespace aetos::reconstruction
