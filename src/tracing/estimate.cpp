#include <algorithm>
#include <cmath>

#include "aetos/core/program_memory.hpp"
#include "aetos/tracing/peak_shape.hpp"
#include "aetos/tracing/trace.hpp"
#include "find_peaks.hpp"
#include "residual_atoms.hpp"

namespace aetos::tracing {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr double kNodes = 1000;         ///< of a peak's table, in each plane
constexpr double kTables = 12;          ///< of each plane, with those on the way
constexpr double kTransforms = 320;     ///< rows of as many nodes
constexpr double kRadiusShare = 0.4;    ///< of the volume, where the particle's is not known
constexpr double kAtomVolume_A3 = 100;  ///< of the whole volume, where the number of atoms is not known
/// Measured on one core of a present server; only the order of magnitude matters here.
constexpr double kVoxel_s = 6e-8;        ///< smoothing and the search for maxima
constexpr double kPeakPixel_s = 4e-8;    ///< of one atom's peak on one image, with its slopes
constexpr double kPeak_A2 = 20;          ///< area of an atom's peak on an image
constexpr double kEvaluations = 200;     ///< of the misfit, over all rounds and both halves
constexpr double kBiasEvaluations = 60;  ///< more for the model's own error

}  // namespace

Estimate estimate(const PlannedTrace& planned, const config::TraceOptions& options, int ranks) {
  const auto real = [](std::size_t n) { return static_cast<double>(n); };
  const auto share = [&](double n) { return std::ceil(n / ranks); };
  const auto& [nz, ny, nx] = planned.volume_px;
  const double voxels = real(nz) * real(ny) * real(nx), pixel_A2 = planned.voxel_A * planned.voxel_A;
  Estimate estimate;
  estimate.atoms =
      planned.atoms.value_or(static_cast<std::size_t>(voxels * pixel_A2 * planned.voxel_A / kAtomVolume_A3));
  const double atoms = real(estimate.atoms);
  estimate.core_seconds = voxels * kVoxel_s;
  // The slab as read and smoothed, once more between two axes.
  const double planes = std::min(real(nz), share(real(nz)) + 2 * real(search_halo(options, planned.voxel_A)));
  estimate.bytes_written = 250 * atoms;
  double bytes = 3 * planes * real(ny) * real(nx) * 4;
  if (options.refine && planned.projections > 0) {
    const double projections = real(planned.projections), mine = share(projections);
    const double image = real(planned.image_px[0]) * real(planned.image_px[1]) * 4;
    const double radius_A = planned.radius_A.value_or(kRadiusShare * real(nx) * planned.voxel_A);
    // Of the ball that is searched for missing atoms.
    const double side = 2 * (radius_A + 3) / search_step_A(planned.voxel_A);
    const double tables = 8 * kNodes * (kTransforms + kTables * 2 * (radius_A + 3) / PeakShape::kPlane_A);
    const double held = 2 * mine * image + tables;
    const double slopes = (4 * mine + 80) * atoms * 8, information = 10 * mine * atoms * 8 + 160 * atoms;
    // Residuals and their weights; and what they add to the filter's two sums.
    const double residuals = 2 * mine * image + 2 * side * side * (share(side) + 2) * 4;
    bytes = std::max(bytes, kKeptShare * (held + std::max({slopes, information, residuals})));
    const bool bias = options.refine_model == config::RefineModel::multislice;
    const double evaluations = kEvaluations * (options.refine_angles ? 2 : 1) + (bias ? kBiasEvaluations : 0);
    estimate.core_seconds += evaluations * atoms * projections * kPeak_A2 / pixel_A2 * kPeakPixel_s;
    estimate.bytes_written += evaluations * 4 * atoms * 8;  // the journal
  }
  estimate.memory_per_rank_MiB = (kProgramBytes + bytes) / kMiB;
  return estimate;
}

}  // namespace aetos::tracing
