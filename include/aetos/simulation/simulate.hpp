#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "aetos/atoms/options.hpp"
#include "aetos/atoms/thermal.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/structure.hpp"
#include "aetos/multislice/options.hpp"
#include "aetos/parallel/run_context.hpp"

namespace aetos::simulation {

/// A tilt series to simulate. `specimen` is already about the rotation centre.
struct Request {
  const Structure& specimen;
  atoms::SpecimenOptions specimen_options;
  multislice::MicroscopeOptions microscope;
  std::vector<multislice::DetectorOptions> detectors;
  multislice::ScanOptions scan;
  std::vector<EulerAngles> tilts;
  multislice::MultisliceOptions multislice;
  std::uint64_t seed = 1;
  std::span<const atoms::Snapshot> snapshots =
      {};  ///< of thermal.configurations; of the specimen's first atoms
};

/// What a simulation would cost and what speaks against it, before it runs.
struct Estimate {
  std::size_t tilts = 0, phonons = 0;
  std::size_t probes = 0;  ///< of one image
  std::size_t slices = 0;  ///< at the tilt with the most
  std::size_t image_ny = 0, image_nx = 0;
  std::array<std::size_t, 2> window_px{};  ///< (y, x); with a tolerance what is expected, not yet tried
  double core_seconds = 0;
  double memory_per_rank_MiB = 0;
  double bytes_written = 0;
  double angle_limit_mrad = 0;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;  ///< what the request means, in words: thermal motion, rate assumed...
};

/// Checks a request without computing images; throws InputError where it cannot be simulated.
Estimate estimate(const Request& request, int ranks);

/// Patterns of pixelated detectors, beside the series.
inline constexpr const char* kDiffractionFile = "diffraction.h5";

/// Simulates on all ranks of the context and writes the series to `file`. Finished work items are journalled
/// in `context.work` and taken from there on resume. Returns the stage's object of summary.json, without
/// timings. Collective; throws Interrupted once everything done so far is safe.
nlohmann::json simulate(const RunContext& context, const Request& request, const std::filesystem::path& file);

}  // namespace aetos::simulation
