#pragma once

#include <string>
#include <vector>

#include "aetos/io/tilt_series.hpp"
#include "aetos/preprocessing/preprocess.hpp"

namespace aetos::preprocessing {

/// A request checked against the header of its input.
struct Plan {
  io::TiltSeriesInfo info;          ///< of the file
  std::string signal;               ///< name of the images in the file; empty where they have none
  std::vector<std::size_t> kept;    ///< the file's images that are used, in its order
  std::vector<EulerAngles> angles;  ///< of those
  std::optional<double> pixel_A;
  /// Pixels (x, y) of the image without the scan's distortion -> of the one recorded; none = it stays.
  std::optional<Eigen::Matrix2d> to_recorded;
  std::vector<std::string> notes;
};

/// Throws InputError where the request cannot be met.
Plan make_plan(const Request& request);

/// Bytes of the cleaned projections: once in the journal, once in the series.
double bytes_of_images(const Plan& plan);

}  // namespace aetos::preprocessing
