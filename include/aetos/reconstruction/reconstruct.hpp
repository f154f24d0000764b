#pragma once

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "aetos/core/geometry.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/run_context.hpp"
#include "aetos/tomography/options.hpp"

namespace aetos::reconstruction {

/// What `refine_angles` writes beside the volume: the images as they were reconstructed from, with their
/// refined angles, and a table of angles and shifts.
inline constexpr const char* kRefinedSeries = "tilt_series_refined.h5";
inline constexpr const char* kRefinedAngles = "refined_angles.csv";

struct Request {
  std::string source;  ///< tilt series file, options.input resolved
  tomography::ReconstructOptions options;
  std::vector<EulerAngles> angles;   ///< from `tilts`; empty = the file's own
  std::vector<std::size_t> exclude;  ///< projections left out
  std::optional<double> pixel_A;     ///< from `scan`, overrides the file's with a note
  bool interpolate_bad_pixels = false;
  /// Of a source that has yet to be written, for an estimate.
  std::optional<io::TiltSeriesInfo> header = {};
};

struct Estimate {
  std::size_t projections = 0, ny = 0, nx = 0;
  std::array<std::size_t, 3> volume_px{};
  double core_seconds = 0, memory_per_rank_MiB = 0, bytes_written = 0;
  std::vector<std::string> warnings;
};

/// Checks a request by the headers of its input; throws InputError where it cannot be reconstructed.
Estimate estimate(const Request& request, int ranks);

/// Reconstructs on all ranks (slabs along y) and writes the volume to `file`; checkpoints in `context.work`.
/// Returns the stage's object of summary.json, without timings. Collective.
nlohmann::json reconstruct(const RunContext& context, const Request& request,
                           const std::filesystem::path& file);

}  // namespace aetos::reconstruction
