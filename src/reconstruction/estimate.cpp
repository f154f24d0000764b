#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/program_memory.hpp"
#include "aetos/reconstruction/reconstruct.hpp"
#include "plan.hpp"
#include "refine_angles.hpp"
#include "tao.hpp"

namespace aetos::reconstruction {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
/// Measured on one core of a present server (bench/projector.cpp); only the order of magnitude matters here.
constexpr double kFlops = 4e9;       ///< of single-precision transforms
constexpr double kUpdates = 1.5e10;  ///< multiply-adds on rows
constexpr double kSplats = 1.2e8;    ///< voxels of a projection forward and back, off the rows' directions
constexpr double kVoxelReads = 2e8;  ///< bilinear or trilinear reads off the rows' directions
constexpr double kTransfer =
    1 << 30;  ///< of one call to HDF5, whose chunks lie in memory before they are written

struct Sizes {
  double nz, ny, nx, nu, nv, projections, padded_z, padded_y, padded_x;
};

Sizes sizes_of(const Plan& plan, const std::array<double, 3>& oversampling) {
  const auto& g = plan.geometry;
  const auto real = [](std::size_t n) { return static_cast<double>(n); };
  return {real(g.volume_px[0]),
          real(g.volume_px[1]),
          real(g.volume_px[2]),
          real(g.nu),
          real(g.nv),
          real(g.angles.size()),
          real(tomography::padded_size(oversampling[0], g.volume_px[0])),
          real(tomography::padded_size(oversampling[1], std::max(g.volume_px[1], g.nv))),
          real(tomography::padded_size(oversampling[2], std::max(g.volume_px[2], g.nu)))};
}

/// Seconds of one pass, forward and back, on one core.
double pass_seconds(const Plan& plan, const Sizes& s, bool fourier) {
  const double updates = s.nz * s.nx * s.ny * s.projections;
  if (!plan.plain && !fourier) return updates / kSplats;
  if (!plan.plain) {
    const double grid = s.padded_z * s.padded_x * s.padded_y;
    const double plane = s.padded_x * s.padded_y;
    const double transforms = 2.5 * grid * std::log2(grid) + s.projections * 2.5 * plane * std::log2(plane);
    return transforms / kFlops + (s.projections * plane / 2 * 4 + updates) / kVoxelReads;
  }
  if (!fourier) return 6 * updates / kUpdates;
  const double along_x = (s.nz + s.projections) * 2.5 * s.padded_x * std::log2(s.padded_x);
  const double along_z = (s.padded_x / 2 + 1) * 5 * s.padded_z * std::log2(s.padded_z);
  const double there = static_cast<double>(plan.subsets) * s.ny * (along_x + along_z) / kFlops +
                       s.ny * s.projections * s.padded_x / kVoxelReads;
  // PETSc's solvers go back by the exact adjoint, step by step.
  return plan.petsc ? 2 * there : there + 2 * updates / kUpdates;
}

/// Passes of a run: TAO's line searches and the starts of its blocks take some more, Newton steps several
/// each.
double passes_of(const Plan& plan) {
  if (!plan.petsc) return plan.iterations;
  return plan.iterations * (plan.petsc->kind == PetscMethod::Kind::newton ? 10 : 1.25);
}

double memory_bytes(const Plan& plan, const Sizes& s, bool fourier, bool support, bool sirt, bool refined,
                    double ranks) {
  const auto padded = [](double rows) {
    return static_cast<double>(tomography::padded_rows(static_cast<std::size_t>(std::ceil(rows))));
  };
  const bool divided = !plan.plain && fourier && !refined;  // the volume and its spectrum, not the images
  const double share = plan.plain || divided ? ranks : 1, image_share = plan.plain ? ranks : 1;
  const double rows = padded(s.ny / share), image_rows = padded(s.nv / image_share);
  const double volume = s.nz * s.nx * rows * 4, images = s.projections * s.nu * image_rows * 4;
  const double state = volume * (plan.accelerated ? 2 : 1) + (support ? volume / 4 : 0) + 2 * images;
  // Vectors of doubles: TAO's, and KSP's with three of pixels (images, residual, product); SIRT's weights.
  const double voxels = s.nz * s.nx * std::ceil(s.ny / share);
  const double pixels = s.projections * s.nu * std::ceil(s.nv / image_share);
  const bool linear = plan.petsc && plan.petsc->kind == PetscMethod::Kind::linear;
  const double solver = plan.petsc ? plan.petsc->doubles * 8 * voxels + (linear ? 3 * 8 * pixels : 0)
                        : sirt     ? volume + images
                                   : 0;
  const double read = pixels * 4 + images;
  const double slab = s.nz * s.nx * std::ceil(s.ny / ranks) * 4;
  const double write = volume + slab + std::min(slab, kTransfer);
  double work = 16 * s.nx * rows * 4;
  if (plan.plain && fourier)
    work += (s.padded_x / 2 + 1) * s.padded_z * 8 + 16 * s.nz * s.nx * 4 + s.projections * s.padded_x * 20;
  if (plan.plain && fourier && plan.petsc) work += volume + 16 * s.nz * s.nx * 4;
  if (!plan.plain && fourier) {
    const double planes = std::ceil(s.padded_z / share) + (share > 1 ? 1 : 0);
    // Over ranks also rows and a projection of each on their way.
    const double sent = share > 1 ? (16 * s.padded_z + 2 * s.padded_y) * s.padded_x * 8 : 0;
    work += planes * s.padded_x * (s.padded_y / 2 + 1) * 8 + sent;
  }
  // A round of refine_angles: volume and extrapolated point, and the images as read, moved and left over.
  const double refining = refined ? 2 * volume + 3 * images : 0;
  return std::max({state + solver + work, refining, read, write});
}

void add_warnings(const Plan& plan, const Request& request, int ranks, std::vector<std::string>& warnings) {
  warnings.insert(warnings.end(), plan.notes.begin(), plan.notes.end());
  warnings.insert(warnings.end(), plan.warnings.begin(), plan.warnings.end());
  if (static_cast<std::size_t>(ranks) > plan.geometry.volume_px[1])
    warnings.push_back(fmt::format("{} ranks for {} rows: {} of them stay idle", ranks,
                                   plan.geometry.volume_px[1],
                                   static_cast<std::size_t>(ranks) - plan.geometry.volume_px[1]));
  const bool fourier = request.options.projector == tomography::Projector::fourier;
  if (!plan.plain && ranks > 1) {
    const bool refined = request.options.refine_angles;
    warnings.push_back(fmt::format(
        "angles {}: every rank holds {}", refined ? "are refined" : "phi or psi other than zero",
        refined || !fourier ? "the whole volume" : "all images; the volume and its spectrum are divided"));
  }
  const auto& over = request.options.oversampling;
  if (fourier && std::min(over[0], over[2]) < 2)
    warnings.push_back(
        "an oversampling below 2 lets the volume's tilted corners wrap round in the projections");
}

}  // namespace

double checkpoint_bytes(const Plan& plan) {
  return static_cast<double>(element_count(plan.geometry.volume_px)) * sizeof(float) *
         (plan.accelerated ? 2 : 1);
}

Estimate estimate(const Request& request, int ranks) {
  Plan plan = make_plan(request);
  const auto& options = request.options;
  if (options.refine_angles) plan.plain = false;
  const bool fourier = options.projector == tomography::Projector::fourier;
  const Sizes s = sizes_of(plan, options.oversampling);
  Estimate estimate;
  estimate.projections = plan.geometry.angles.size();
  estimate.ny = plan.geometry.nv;
  estimate.nx = plan.geometry.nu;
  estimate.volume_px = plan.written_px;
  estimate.core_seconds = (passes_of(plan) + 1) * pass_seconds(plan, s, fourier) * (options.fsc ? 2 : 1);
  if (options.refine_angles)
    estimate.core_seconds += most_refinement_passes(options.refine_rounds) * pass_seconds(plan, s, false);
  estimate.memory_per_rank_MiB =
      (kProgramBytes + kKeptShare * memory_bytes(plan, s, fourier, options.support != "none",
                                                 options.method == "sirt", options.refine_angles, ranks)) /
      kMiB;
  // Two generations stay, and the oldest goes when a third is there; by the end there are one and the volume.
  estimate.bytes_written = 3 * checkpoint_bytes(plan);
  add_warnings(plan, request, ranks, estimate.warnings);
  return estimate;
}

}  // namespace aetos::reconstruction
