#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/structure.hpp"
#include "aetos/multislice/options.hpp"
#include "aetos/parallel/run_context.hpp"

namespace aetos::tracing {

/// Images that a model is to be seen in, noise-free.
struct ImagesOfModel {
  const Structure& atoms;  ///< about the rotation centre
  const std::vector<EulerAngles>& angles;
  std::array<std::size_t, 2> image_px;  ///< (y, x)
  double pixel_A;
};

struct SimulatedModel {
  std::string series;                           ///< path of the images
  std::vector<std::vector<Vec3>> displacement;  ///< of every atom at each tilt, Å; empty: atoms at rest
};

struct Request {
  std::string volume;                ///< .h5, .mat[:array] or .mrc
  std::string images;                ///< tilt series for the refinement; empty = none at hand
  std::string signal;                ///< of the images, e.g. adf_noisy; empty = automatic
  std::vector<EulerAngles> angles;   ///< of the images, excluded ones too; empty = the file's own
  std::vector<std::size_t> exclude;  ///< images left out, counted from 0
  config::TraceOptions options;
  std::optional<double> pixel_A;             ///< overrides the files'
  multislice::MicroscopeOptions microscope;  ///< of the images
  /// Simulates the images asked for; collective. Needed for `refine_model: multislice`.
  std::function<SimulatedModel(const RunContext&, const ImagesOfModel&)> simulate = {};
};

/// Sizes of a trace that has not run yet.
struct PlannedTrace {
  std::array<std::size_t, 3> volume_px{};  ///< (z, y, x)
  double voxel_A = 1;
  std::size_t projections = 0;            ///< of the images for the refinement; 0: none at hand
  std::array<std::size_t, 2> image_px{};  ///< (y, x)
  std::optional<std::size_t> atoms;       ///< nothing: guessed from the volume
  std::optional<double> radius_A;         ///< of the farthest atom; nothing: guessed from the volume
};

struct Estimate {
  std::size_t atoms = 0;
  double core_seconds = 0, memory_per_rank_MiB = 0, bytes_written = 0;
  std::vector<std::string> warnings;
};

/// Without what `refine_model: multislice` simulates.
Estimate estimate(const PlannedTrace& planned, const config::TraceOptions& options, int ranks);

struct Outputs {
  std::filesystem::path atoms;  ///< extxyz
  std::filesystem::path
      rejected;  ///< CSV: every peak above half the threshold that is no atom, with the reason
  std::filesystem::path angles;  ///< CSV, with `refine_angles`: tomography::pose_table
};

/// Finds the atoms of a volume on all ranks (slabs with a halo), tells the species apart, refines them
/// against the images where these are at hand, and writes `outputs` (atoms sorted by z, y, x; columns below).
/// The same bits on any number of ranks. Returns the stage's object of summary.json, without timings. Throws
/// InputError for a volume with NaN, a missing voxel size or angles that do not fit the images; Interrupted
/// at a stop request. Collective.
///
/// Columns: height, fit_residual (of the peak's Gaussian; its unit is the volume's), sigma_a (Å),
/// integrated_intensity (volume's unit times Å³), fitted (F where the fit failed and the maximum itself was
/// kept; sigma_a is 0 then); after refinement also refined_intensity (relative to the median) and crlb_a (Å,
/// Cramér-Rao bound in 3D).
/// error_x_a, error_y_a, error_z_a (Å, standard errors; 0 where fewer than 12 projections leave them
/// unknown). Atoms that only the residual images showed have no peak: its columns are 0.
nlohmann::json trace(const RunContext& context, const Request& request, const Outputs& outputs);

}  // namespace aetos::tracing
