#include "plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "aetos/core/error.hpp"
#include "aetos/core/program_memory.hpp"
#include "calibrate.hpp"

namespace aetos::preprocessing {
namespace {

constexpr std::size_t kSmallestImage = 4;

void keep_projections(const Request& request, Plan& plan) {
  const auto angles = io::angles_of_images(request.source, plan.info, request.angles);
  io::check_projections(request.exclude, angles.size(), "tilts.exclude");
  for (std::size_t i = 0; i < angles.size(); ++i) {
    if (std::find(request.exclude.begin(), request.exclude.end(), i) != request.exclude.end()) continue;
    plan.kept.push_back(i);
    plan.angles.push_back(angles[i]);
  }
  if (plan.kept.empty()) throw InputError("tilts.exclude", "every projection", "at least one that is used");
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

/// Moments of the diffraction pattern and what is integrated from them have signs, and no counts.
void check_denoising(const Request& request, const Plan& plan) {
  if (request.options.denoise == config::Denoise::none) return;
  for (const char* word : {"_x_", "_y_", "_idpc_"})
    if (plan.signal.find(word) != std::string::npos)
      throw InputError("preprocess.denoise", "denoising of " + plan.signal + ", which counts no electrons",
                       "none, or images of a detector that counts");
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
  plan.pixel_A = request.pixel_A ? request.pixel_A : plan.info.pixel_A;
  if (const auto note = io::overridden_pixel_note(request.pixel_A, plan.info.pixel_A); !note.empty())
    plan.notes.push_back(note);
  check_alignment(request, plan);
  check_denoising(request, plan);
  return plan;
}

double bytes_of_images(const Plan& plan) {
  return static_cast<double>(plan.info.ny * plan.info.nx * plan.kept.size()) * sizeof(float);
}

Estimate estimate(const Request& request, int ranks) {
  const Plan plan = make_plan(request);
  if (request.options.calibrate) check_calibration(request, plan);
  Estimate e;
  e.projections = plan.kept.size();
  e.ny = plan.info.ny;
  e.nx = plan.info.nx;
  const double pixels = static_cast<double>(e.ny * e.nx), all = pixels * static_cast<double>(e.projections);
  constexpr double kSecondsPerPixel = 2e-6, kBytesPerPixel = 120;
  // Measured per pixel; in the order of config::Denoise.
  constexpr std::array kSecondsOfDenoising{0.0, 15e-6, 12e-6, 1e-6};
  e.core_seconds =
      all * (kSecondsPerPixel + kSecondsOfDenoising[static_cast<std::size_t>(request.options.denoise)]);
  e.memory_per_rank_MiB = (kProgramBytes + pixels * kBytesPerPixel) / 1048576;
  e.bytes_written = 2 * bytes_of_images(plan);
  if (e.projections < static_cast<std::size_t>(ranks))
    e.warnings.push_back(
        fmt::format("{} ranks for {} projections: some stay idle in preprocess", ranks, e.projections));
  return e;
}

}  // namespace aetos::preprocessing
