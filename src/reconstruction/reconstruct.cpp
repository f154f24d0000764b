#include "aetos/reconstruction/reconstruct.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/disk_space.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/tomography/support.hpp"
#include "checkpoint.hpp"
#include "fourier_shells.hpp"
#include "images.hpp"
#include "misfit.hpp"
#include "plan.hpp"
#include "refine_angles.hpp"
#include "solve.hpp"

namespace aetos::reconstruction {
namespace {

using nlohmann::json;

json number_or_null(double value) {
  return std::isfinite(value) ? json(value) : json(nullptr);
}

const char* projector_name(tomography::Projector projector) {
  return projector == tomography::Projector::fourier ? "fourier" : "real-space";
}

Array<std::uint8_t, 3> support_from_file(const std::string& file, const Plan& plan,
                                         const Decomposition& mine) {
  const auto shape = io::read_volume_info(file).shape;
  const auto& wanted = plan.geometry.volume_px;
  if (shape != wanted)
    throw InputError("reconstruct.support",
                     fmt::format("{} holds a volume of {} voxels (z, y, x)", file, fmt::join(shape, " x ")),
                     fmt::format("{}, the size of the volume", fmt::join(wanted, " x ")));
  const Range rows = mine.held_rows;
  Array<std::uint8_t, 3> inside({wanted[0], wanted[2], tomography::padded_rows(rows.size())});
  if (rows.empty()) return inside;
  const Array<float, 3> volume = io::read_volume_rows(file, rows);
  for (std::size_t z = 0; z < wanted[0]; ++z)
    for (std::size_t y = 0; y < rows.size(); ++y)
      for (std::size_t x = 0; x < wanted[2]; ++x) inside(z, x, y) = volume(z, y, x) != 0 ? 1 : 0;
  return inside;
}

/// The largest of each rank's values, entry by entry.
std::vector<float> maxima_over_ranks(const Communicator& comm, std::vector<float> mine) {
  const auto all = comm.all_gather(std::span<const float>(mine));
  for (std::size_t i = 0; i < all.size(); ++i)
    mine[i % mine.size()] = std::max(mine[i % mine.size()], all[i]);
  return mine;
}

/// Empty for `support: none`.
Array<std::uint8_t, 3> make_support(const Communicator& comm, const std::string& support, const Plan& plan,
                                    const Decomposition& mine, View<const float, 3> measured) {
  Array<std::uint8_t, 3> inside;
  if (support == "none") return inside;
  if (support == "auto") {
    const std::size_t rows = mine.image_rows.size();
    auto sums = tomography::pixel_sums(measured, rows);
    // Else every rank has all rows.
    if (tomography::is_plain_tilt_series(plan.geometry.angles))
      sums = comm.all_gather(std::span<const tomography::PixelSums>(sums));
    const std::size_t mean = tomography::support_mean(sums, plan.geometry.nu);
    const auto largest = maxima_over_ranks(comm, tomography::largest_means(measured, rows, mean));
    return tomography::visual_hull(plan.geometry, measured, rows, mean, largest, mine.held_rows.begin,
                                   mine.held_rows.size());
  }
  comm.agree([&] { inside = support_from_file(support, plan, mine); });
  return inside;
}

/// Share of the volume that is inside, the same number on all ranks.
double support_share(const Communicator& comm, const Plan& plan, const Decomposition& mine,
                     const Array<std::uint8_t, 3>& inside) {
  std::int64_t count = 0;
  const std::size_t begin = mine.owned_rows.begin - mine.held_rows.begin;
  for (std::size_t z = 0; z < inside.extent(0); ++z)
    for (std::size_t x = 0; x < inside.extent(1); ++x)
      for (std::size_t y = begin; y < begin + mine.owned_rows.size(); ++y) count += inside(z, x, y);
  return static_cast<double>(comm.sum(count)) / static_cast<double>(element_count(plan.geometry.volume_px));
}

/// Rows of the written volume that a rank writes.
Range written_rows(const Communicator& comm, const Plan& plan, int rank) {
  return block_partition(plan.written_px[1], static_cast<std::size_t>(comm.size()),
                         static_cast<std::size_t>(rank));
}
Range written_rows(const Communicator& comm, const Plan& plan) {
  return written_rows(comm, plan, comm.rank());
}

/// What is written of a volume, (z, row, x): for a film its middle, else all. Collective.
Array<float, 3> written_part(const Communicator& comm, const Plan& plan, const Decomposition& mine,
                             const Array<float, 3>& u) {
  const auto& whole = plan.geometry.volume_px;
  const auto& written = plan.written_px;
  const auto start = [&](std::size_t axis) {
    return centre_index(whole[axis]) - centre_index(written[axis]);
  };
  const Range rows = written_rows(comm, plan);
  Array<float, 3> part({written[0], rows.size(), written[2]});
  if (!mine.spectrum_divided()) {
    const std::size_t first_row = start(1) + rows.begin - mine.held_rows.begin;
    for (std::size_t z = 0; z < written[0]; ++z)
      for (std::size_t y = 0; y < rows.size(); ++y)
        for (std::size_t x = 0; x < written[2]; ++x)
          part(z, y, x) = u(start(0) + z, start(2) + x, first_row + y);
    return part;
  }
  // A film's middle is cut into other slabs than the film.
  std::vector<std::vector<float>> to_each(static_cast<std::size_t>(comm.size()));
  for (int rank = 0; rank < comm.size(); ++rank) {
    const Range to = written_rows(comm, plan, rank);
    const std::size_t end = std::min(to.end + start(1), mine.owned_rows.end);
    for (std::size_t y = std::max(to.begin + start(1), mine.owned_rows.begin); y < end; ++y)
      for (std::size_t z = 0; z < written[0]; ++z)
        for (std::size_t x = 0; x < written[2]; ++x)
          to_each[static_cast<std::size_t>(rank)].push_back(
              u(start(0) + z, start(2) + x, y - mine.held_rows.begin));
  }
  const auto from_each = comm.exchange(to_each);
  std::size_t y = 0;  // rows come in order, as ranks hold them
  for (const auto& from : from_each) {
    const float* value = from.data();
    for (; value < from.data() + from.size(); ++y)
      for (std::size_t z = 0; z < written[0]; ++z)
        for (std::size_t x = 0; x < written[2]; ++x) part(z, y, x) = *value++;
  }
  return part;
}

void write_volume(const RunContext& context, const Request& request, const Plan& plan,
                  const Decomposition& mine, const State& state, const tomography::RFactors& factors,
                  const std::filesystem::path& file) {
  const auto& options = request.options;
  io::VolumeInfo info;
  info.shape = plan.written_px;
  info.voxel_A = plan.pixel_A;
  info.r_history = state.r_history;
  info.r_per_projection = factors.r1;
  info.angles = plan.geometry.angles;
  info.reconstruction.numbers = {{"iterations", state.iteration},
                                 {"step", options.step},
                                 {"nonnegative", options.nonnegative ? 1 : 0},
                                 {"r_factor", factors.mean_r1},
                                 {"r2_factor", factors.mean_r2}};
  info.reconstruction.texts = {{"method", options.method},
                               {"projector", projector_name(options.projector)},
                               {"oversampling_zyx", fmt::format("{}", fmt::join(options.oversampling, " "))},
                               {"support", options.support},
                               {"signal", plan.signal},
                               {"input", request.source}};
  const Range rows = written_rows(context.comm, plan);
  const Array<float, 3> slab = written_part(context.comm, plan, mine, state.u);
  io::write_volume(context.comm, file, info, io::provenance_of(context), rows, slab);
}

void report_empty_projections(const Request& request, const Plan& plan, const tomography::RFactors& factors) {
  std::vector<std::size_t> empty;
  for (std::size_t p = 0; p < factors.r1.size(); ++p)
    if (!std::isfinite(factors.r1[p])) empty.push_back(plan.kept[p]);
  if (!empty.empty())
    log::warn(
        "projection(s) {} of {} are zero everywhere: they have no R and count neither in its mean nor in the "
        "support; tilts.exclude leaves images out of the volume, too",
        fmt::join(empty, ", "), request.source);
}

json summary(const Request& request, const Plan& plan, const State& state,
             const tomography::RFactors& factors) {
  json per_projection = json::array();
  for (double r : factors.r1) per_projection.push_back(number_or_null(r));
  return {{"method", request.options.method},
          {"iterations", state.iteration},
          {"passes", state.passes},
          {"r_factor", number_or_null(factors.mean_r1)},
          {"r_factor_per_projection", per_projection},
          {"r2_factor", number_or_null(factors.mean_r2)},
          {"projections", plan.kept.size()},
          {"volume_px", plan.written_px},
          {"voxel_A", plan.pixel_A},
          {"signal", plan.signal},
          {"projector", projector_name(request.options.projector)}};
}

void announce(const Communicator& comm, const Request& request, const Plan& plan) {
  for (const auto& note : plan.notes) log::info("note: {}", note);
  for (const auto& warning : plan.warnings) log::warn("{}", warning);
  const auto& geometry = plan.geometry;
  log::info(
      "reconstructing {} of {}: {} projections of {} x {} pixels (y, x), volume {} (z, y, x), {}, {} "
      "projector",
      plan.signal.empty() ? "images" : plan.signal, request.source, plan.kept.size(), geometry.nv,
      geometry.nu, fmt::join(geometry.volume_px, " x "), request.options.method,
      projector_name(request.options.projector));
  const auto ranks = static_cast<std::size_t>(comm.size());
  if (ranks > geometry.volume_px[1])
    log::info("note: {} ranks for {} rows: {} ranks stay idle", ranks, geometry.volume_px[1],
              ranks - geometry.volume_px[1]);
}

struct Solution {
  State state;
  tomography::RFactors factors;
  json extra = json::object();  ///< for the summary, where it was asked for
};

/// The projections that were kept out of the fit, as a problem of their own.
struct HeldOut {
  HeldOut(const Communicator& comm, const Request& request, const Plan& fitted, const Decomposition& mine)
      : plan(with_projections(fitted, fitted.held, fitted.held_angles)),
        images(load_images(comm, request, plan, mine)),
        problem{plan, request.options, mine, images.measured, {}} {}
  Plan plan;
  Images images;
  Problem problem;
};

/// Every other projection, in the order of their tilts.
Plan half_of(const Plan& plan, std::size_t which) {
  std::vector<std::size_t> order(plan.kept.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto& angles = plan.geometry.angles;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return angles[a].theta_deg < angles[b].theta_deg; });
  std::vector<std::size_t> kept;
  std::vector<EulerAngles> kept_angles;
  for (std::size_t i = which; i < order.size(); i += 2) {
    kept.push_back(plan.kept[order[i]]);
    kept_angles.push_back(angles[order[i]]);
  }
  return with_projections(plan, std::move(kept), std::move(kept_angles));
}

/// Reconstructs both halves of the projections as the whole was, and correlates them shell by shell.
json correlate_halves(const RunContext& context, const Request& request, const Plan& plan,
                      const tomography::Constraints& constraints, int iterations) {
  log::info("  both halves of the projections, for their Fourier shell correlation");
  std::array<Array<float, 3>, 2> halves;
  for (std::size_t which = 0; which < 2; ++which) {
    Plan half = half_of(plan, which);
    half.iterations = iterations;
    const Decomposition mine = decompose(context.comm, half);
    const Images images = load_images(context.comm, request, half, mine);
    State state = first_state(half, mine);
    solve(context, {half, request.options, mine, images.measured, constraints}, state, {nullptr, false});
    halves[which] = written_part(context.comm, plan, mine, state.u);
  }
  return describe(shell_correlation(context.comm, halves[0], halves[1], plan.written_px[1]), plan.pixel_A);
}

json correlate_with_truth(const Communicator& comm, const Request& request, const Plan& plan,
                          const Decomposition& mine, const Array<float, 3>& u) {
  const std::string& file = request.options.truth;
  const Range rows = written_rows(comm, plan);
  Array<float, 3> truth({plan.written_px[0], 0, plan.written_px[2]});
  comm.agree([&] {
    const auto shape = io::read_volume_info(file).shape;
    if (shape != plan.written_px)
      throw InputError("reconstruct.truth",
                       fmt::format("{} holds a volume of {} voxels (z, y, x)", file, fmt::join(shape, " x ")),
                       fmt::format("{}, the size of the volume", fmt::join(plan.written_px, " x ")));
    if (!rows.empty()) truth = io::read_volume_rows(file, rows);
  });
  const auto curve = shell_correlation(comm, written_part(comm, plan, mine, u), truth, plan.written_px[1]);
  return describe(curve, plan.pixel_A);
}

/// How the volume fares on projections that it was not made from.
void judge_by_held_out(const Communicator& comm, const HeldOut& held, Solution& solution) {
  const auto factors = Misfit(comm, held.problem).project(solution.state.u);
  log::info("  R of the {} held-out projections {:.6f}", held.plan.kept.size(), factors.mean_r1);
  json per_projection = json::array();
  for (double r : factors.r1) per_projection.push_back(number_or_null(r));
  solution.extra["r_free"] = number_or_null(factors.mean_r1);
  solution.extra["held_out"] = held.plan.kept;
  solution.extra["r_free_per_projection"] = per_projection;
  if (!solution.state.r_free.empty()) solution.extra["r_free_history"] = solution.state.r_free;
}

/// Everything between the request and the volume. What it needs beside the volume is freed when it returns.
Solution reconstruct_state(const RunContext& context, const Request& request, const Plan& plan,
                           const Decomposition& mine) {
  const Communicator& comm = context.comm;
  Solution solution;
  const Images images = load_images(comm, request, plan, mine);
  if (request.interpolate_bad_pixels) {
    log::info("note: {} bad pixels replaced", images.interpolated_pixels);
    solution.extra["interpolated_pixels"] = images.interpolated_pixels;
  }
  const auto inside = make_support(comm, request.options.support, plan, mine, images.measured);
  if (request.options.support != "none") {
    const double share = support_share(comm, plan, mine, inside);
    log::info("  support: {:.1f} % of the volume", 100 * share);
    solution.extra["support_share"] = share;
  }
  auto resumed = read_checkpoint(context, plan, mine, plan.iterations);
  State& state = solution.state = resumed ? std::move(*resumed) : first_state(plan, mine);
  if (state.iteration > 0) log::info("  resumed after iteration {}", state.iteration);
  const Problem problem{plan, request.options, mine, images.measured, {request.options.nonnegative, inside}};
  std::optional<HeldOut> held;
  if (!plan.held.empty()) held.emplace(comm, request, plan, mine);
  solution.factors = solve(context, problem, state, {held ? &held->problem : nullptr, true});
  state.point = Array<float, 3>();
  if (held) judge_by_held_out(comm, *held, solution);
  if (request.options.fsc)
    solution.extra["fsc_half_sets"] =
        correlate_halves(context, request, plan, problem.constraints, state.iteration);
  if (!request.options.truth.empty())
    solution.extra["fsc_truth"] = correlate_with_truth(comm, request, plan, mine, state.u);
  return solution;
}

}  // namespace

json reconstruct(const RunContext& context, const Request& request, const std::filesystem::path& file) {
  Plan plan;
  context.comm.agree([&] {
    plan = make_plan(request);
    if (context.comm.is_root())
      io::require_space(
          context, {.results = {{file, sizeof(float) * static_cast<double>(element_count(plan.written_px))}},
                    .work_bytes = checkpoint_bytes(plan)});
  });
  announce(context.comm, request, plan);
  json refined;
  if (request.options.refine_angles) {
    auto found = refine_poses(context, request, plan);
    write_refined_series(context, request, plan, found.poses, file.parent_path() / kRefinedSeries,
                         file.parent_path() / kRefinedAngles);
    plan = with_poses(plan, found.poses);
    refined = std::move(found.summary);
  }
  const Decomposition mine = decompose(context.comm, plan);
  const Solution solution = reconstruct_state(context, request, plan, mine);
  report_empty_projections(request, plan, solution.factors);
  log::info("  R {:.6f} (mean over projections), R2 {:.6f}", solution.factors.mean_r1,
            solution.factors.mean_r2);
  write_volume(context, request, plan, mine, solution.state, solution.factors, file);
  json result = summary(request, plan, solution.state, solution.factors);
  result.update(solution.extra);
  if (!refined.is_null()) result["refine_angles"] = refined;
  return result;
}

}  // namespace aetos::reconstruction
