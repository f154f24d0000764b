#pragma once

#include <string>
#include <vector>

/// Between the formats that AETOS reads and writes, for `aetos convert`.
namespace aetos::io {

/// Converts by the extension of `out`: images and volumes (.h5, .mat, .mrc, .tif; an array named after a
/// colon) to .h5, .emd1.h5 (EMD 1.0, which py4DSTEM reads) or .mrc (with .rawtlt); atoms (.extxyz, .xyz,
/// Prismatic's .xyz) to .extxyz. One image is in memory at a time. Returns notes on what was assumed and what
/// the new file cannot hold. Needs MPI initialised; runs on the calling rank alone.
std::vector<std::string> convert_file(const std::string& in, const std::string& out);

}  // namespace aetos::io
