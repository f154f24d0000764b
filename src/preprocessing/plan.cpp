#include "plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"

namespace aetos::preprocessing {
namespace {

constexpr std::size_t kSmallestImage = 4;

void keep_projections(const Request& request, Plan& plan) {
  const auto& angles = request.angles.empty() ? plan.info.angles : request.angles;
  if (angles.empty())
    throw InputError(
        request.source, "no angles",
        "tilts: {theta_deg: ...}, {euler_deg: ...} or {file: ...} in the config, or a .rawtlt or .tlt "
        "file beside an .mrc");
  if (angles.size() != plan.info.tilts)
    throw InputError(
        request.source,
        fmt::format("{} images of {} x {} (shape ({}, {}, {})) but {} angles", plan.info.tilts, plan.info.ny,
                    plan.info.nx, plan.info.tilts, plan.info.ny, plan.info.nx, angles.size()),
        "as many angles as images, images in the order (tilt, y, x); MATLAB arrays (x, y, tilt)");
  for (std::size_t i : request.exclude)
    if (i >= angles.size())
      throw InputError("tilts.exclude", fmt::format("projection {}", i),
                       fmt::format("0 to {} (counted from 0)", angles.size() - 1));
  for (std::size_t i = 0; i < angles.size(); ++i) {
    for (double a : {angles[i].phi_deg, angles[i].theta_deg, angles[i].psi_deg})
      if (!std::isfinite(a))
        throw InputError("tilts", fmt::format("angle {} of projection {}", a, i), "a number of degrees");
    if (std::find(request.exclude.begin(), request.exclude.end(), i) != request.exclude.end()) continue;
    plan.kept.push_back(i);
    plan.angles.push_back(angles[i]);
  }
  if (plan.kept.empty()) throw InputError("tilts.exclude", "every projection", "at least one that is used");
}

void choose_pixel(const Request& request, Plan& plan) {
  plan.pixel_A = plan.info.pixel_A;
  if (!request.pixel_A) return;
  if (plan.info.pixel_A && std::abs(*plan.info.pixel_A - *request.pixel_A) > 1e-6 * *request.pixel_A)
    plan.notes.push_back(fmt::format("scan.pixel_A = {} Å overrides the file's pixel of {} Å",
                                     *request.pixel_A, *plan.info.pixel_A));
  plan.pixel_A = request.pixel_A;
}

void check_alignment(const Request& request, const Plan& plan) {
  using config::Align;
  const Align align = request.options.align;
  if (align != Align::common_line && align != Align::cross_correlation) return;
  const bool plain = std::all_of(plan.angles.begin(), plan.angles.end(),
                                 [](const EulerAngles& a) { return a.phi_deg == 0 && a.psi_deg == 0; });
  if (!plain)
    throw InputError("preprocess.align",
                     "angles phi or psi other than zero with common-line or cross-correlation",
                     "centre-of-mass, or a plain tilt series (theta alone)");
}

}  // namespace

Plan make_plan(const Request& request) {
  Plan plan;
  plan.info = io::read_tilt_series_info(request.source);
  plan.signal = io::choose_detector_signal(request.source, request.options.signal, plan.info.signals,
                                           "preprocess.signal");
  if (plan.info.nx < kSmallestImage || plan.info.ny < kSmallestImage)
    throw InputError(request.source, fmt::format("images of {} x {} pixels", plan.info.ny, plan.info.nx),
                     fmt::format("at least {} x {}", kSmallestImage, kSmallestImage));
  keep_projections(request, plan);
  choose_pixel(request, plan);
  check_alignment(request, plan);
  return plan;
}

Estimate estimate(const Request& request, int ranks) {
  const Plan plan = make_plan(request);
  Estimate e;
  e.projections = plan.kept.size();
  e.ny = plan.info.ny;
  e.nx = plan.info.nx;
  const double pixels = static_cast<double>(e.ny * e.nx), all = pixels * static_cast<double>(e.projections);
  constexpr double kSecondsPerPixel = 2e-6, kBytesPerPixel = 120;
  e.core_seconds = all * kSecondsPerPixel;
  e.memory_per_rank_MiB = 40 + pixels * kBytesPerPixel / 1048576;
  e.bytes_written = 2 * all * sizeof(float);  // journal and series
  if (e.projections < static_cast<std::size_t>(ranks))
    e.warnings.push_back(
        fmt::format("{} ranks for {} projections: some stay idle in preprocess", ranks, e.projections));
  return e;
}

}  // namespace aetos::preprocessing
