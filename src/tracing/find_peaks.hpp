#pragma once

#include <map>
#include <string>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/tracing/peaks.hpp"
#include "aetos/tracing/threshold.hpp"

namespace aetos::tracing {

/// The peaks of a volume that are atoms, strongest first; the same on every rank.
struct PeakSearch {
  std::vector<Peak> peaks;
  Threshold threshold;
  double background = 0;                        ///< median of the smoothed volume
  std::map<std::string, std::size_t> rejected;  ///< by reason
};

/// Searches a volume in slabs of planes with a halo. Throws InputError where it holds NaN or infinities.
/// Collective.
PeakSearch find_peaks(const Communicator& comm, const std::string& source, const io::VolumeInfo& info,
                      double voxel_A, const config::TraceOptions& options);

}  // namespace aetos::tracing
