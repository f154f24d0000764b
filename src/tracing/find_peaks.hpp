#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/tracing/peaks.hpp"
#include "aetos/tracing/threshold.hpp"

namespace aetos::tracing {

/// A maximum that is no atom; plain data, so that ranks can exchange it.
struct RejectedPeak {
  enum class Reason : std::int32_t { below_threshold, at_border, too_close };
  Reason reason = Reason::below_threshold;
  std::array<double, 3> centre{};  ///< z, y, x index in the volume
  double height = 0;               ///< of the smoothed volume
};

/// The peaks of a volume that are atoms, strongest first; the same on every rank.
struct PeakSearch {
  std::vector<Peak> peaks;
  Threshold threshold;
  double background = 0;                        ///< median of the smoothed volume
  double smoothing_A = 0;                       ///< sigma of the Gaussian that it was smoothed with
  std::map<std::string, std::size_t> rejected;  ///< by reason
  std::vector<RejectedPeak> rejected_peaks;     ///< of those below the threshold the upper half
};

/// Planes that a rank reads on both sides of its own.
std::size_t search_halo(const config::TraceOptions& options, double voxel_A);

/// Searches a volume in slabs of planes with a halo. Throws InputError where it holds NaN or infinities.
/// Collective.
PeakSearch find_peaks(const Communicator& comm, const std::string& source, const io::VolumeInfo& info,
                      double voxel_A, const config::TraceOptions& options);

}  // namespace aetos::tracing
