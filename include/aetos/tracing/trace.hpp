#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "aetos/config/stage_options.hpp"
#include "aetos/parallel/run_context.hpp"

namespace aetos::tracing {

struct Request {
  std::string volume;                  ///< .h5, .mat[:array] or .mrc
  std::string images;                  ///< tilt series for the refinement; empty = none at hand
  std::string signal;                  ///< of the images, e.g. adf_noisy; empty = automatic
  std::vector<EulerAngles> angles;     ///< of the images, excluded ones too; empty = the file's own
  std::vector<std::size_t> exclude;    ///< images left out, counted from 0
  config::TraceOptions options;
  std::optional<double> pixel_A;       ///< overrides the files'
};

/// Finds the atoms of a volume on all ranks (slabs with a halo) and writes `file` (extxyz, sorted by z, y, x). Returns
/// the stage's object of summary.json, without timings. Collective.
nlohmann::json trace(const RunContext& context, const Request& request, const std::filesystem::path& file);

}  // namespace aetos::tracing
