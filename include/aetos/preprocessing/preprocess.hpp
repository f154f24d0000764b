#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/parallel/run_context.hpp"
#include "aetos/tomography/options.hpp"

/// The stage preprocess: from a tilt series as it was recorded to one that a volume can be made from.
namespace aetos::preprocessing {

struct Request {
  std::string source{};  ///< tilt series file, options.input resolved
  config::PreprocessOptions options{};
  tomography::TiltAxis tilt_axis = tomography::TiltAxis::y;
  std::vector<EulerAngles> angles{};   ///< from `tilts`; empty = the file's own
  std::vector<std::size_t> exclude{};  ///< projections left out
  std::optional<double> pixel_A{};     ///< from `scan`, overrides the file's with a note
};

struct Outputs {
  std::filesystem::path series;   ///< the images, as the simulate stage writes them
  std::filesystem::path details;  ///< JSON: what was done to each projection
  std::filesystem::path shifts;   ///< CSV: the shift of each projection
  /// Where options.calibrate is set: JSON of the calibration, and the averaged image of the crystal.
  std::filesystem::path calibration = {}, crystal = {};
};

struct Estimate {
  std::size_t projections = 0, ny = 0, nx = 0;
  double core_seconds = 0, memory_per_rank_MiB = 0, bytes_written = 0;
  std::vector<std::string> warnings;
};

/// Checks a request by the header of its input; throws InputError where it cannot be met.
Estimate estimate(const Request& request, int ranks);

/// Works on whole images, dealt over the ranks; finished ones are in a journal in `context.work`. The same
/// bits on any number of ranks. Returns the stage's object of summary.json, without timings. Collective.
nlohmann::json preprocess(const RunContext& context, const Request& request, const Outputs& outputs);

}  // namespace aetos::preprocessing
