#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "aetos/core/array.hpp"
#include "aetos/io/tilt_series.hpp"

/// What stands behind read_tilt_series_*, read_volume_*: one reader per format, chosen here.
namespace aetos::io {

enum class Format { hdf5, mat, mrc, tiff };

/// A file and, after a colon, the array in it: "projections.mat:projections".
struct Source {
  Format format = Format::hdf5;
  std::string file;
  std::string array;  ///< empty: the only one there is
};

/// Tells the format from the extension, else from the first bytes. InputError for a file that is none of
/// these.
Source parse_source(const std::string& source);

/// Part of a 3D array in the axes of AETOS: (tilt, y, x) or (z, y, x).
struct Box3 {
  std::array<std::size_t, 3> start{}, count{};
};

/// InputError unless the box lies in the shape.
void check_box(const std::string& file, const Box3& box, const std::array<std::size_t, 3>& shape);

// Each format offers the same three: what the series and the volume are, and part of the array.

TiltSeriesInfo hdf5_series_info(const Source& source);
VolumeInfo hdf5_volume_info(const Source& source);
Array<float, 3> hdf5_read(const Source& source, const std::string& signal, const Box3& box);

TiltSeriesInfo mat_series_info(const Source& source);
VolumeInfo mat_volume_info(const Source& source);
Array<float, 3> mat_read(const Source& source, const Box3& box);

TiltSeriesInfo mrc_series_info(const Source& source);
VolumeInfo mrc_volume_info(const Source& source);
Array<float, 3> mrc_read(const Source& source, const Box3& box);

TiltSeriesInfo tiff_series_info(const Source& source);
VolumeInfo tiff_volume_info(const Source& source);
Array<float, 3> tiff_read(const Source& source, const Box3& box);

}  // namespace aetos::io
