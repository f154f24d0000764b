#include "plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "tao.hpp"

namespace aetos::reconstruction {
namespace {

constexpr std::size_t kSmallestImage = 4;
constexpr std::size_t kFewestRefined = 5, kSmallestRefined = 16;  ///< for refine_angles

void check_options(const tomography::ReconstructOptions& options) {
  if (std::find(tomography::kMethods.begin(), tomography::kMethods.end(), options.method) ==
      tomography::kMethods.end())
    throw InputError("reconstruct.method", "'" + options.method + "'",
                     fmt::format("one of {}", fmt::join(tomography::kMethods, ", ")));
  if (options.iterations < 1)
    throw InputError("reconstruct.iterations", fmt::format("{}", options.iterations), "1 or more");
  if (!(options.step >= 1 && options.step <= 3))
    throw InputError("reconstruct.step", fmt::format("{}", options.step), "1 to 3");
  for (double oversampling : options.oversampling)
    if (!(oversampling >= 1 && oversampling <= 16))
      throw InputError("reconstruct.oversampling", fmt::format("{}", oversampling), "1 to 16");
}

/// Says so where `auto` had a choice of detectors.
void note_other_detectors(const Request& request, const io::TiltSeriesInfo& info, Plan& plan) {
  const auto cut = plan.signal.rfind('_');
  if (request.options.signal != "auto" || cut == std::string::npos) return;
  const std::string detector = plan.signal.substr(0, cut + 1);
  const auto other = [&](const std::string& name) { return !name.starts_with(detector); };
  if (std::any_of(info.signals.begin(), info.signals.end(), other))
    plan.notes.push_back(
        fmt::format("reconstruct.signal: auto takes {}, of {}", plan.signal, fmt::join(info.signals, ", ")));
}

void keep_projections(const Request& request, const std::vector<EulerAngles>& angles, Plan& plan) {
  const auto& held_out = request.options.held_out;
  io::check_projections(request.exclude, angles.size(), "tilts.exclude");
  io::check_projections(held_out, angles.size(), "reconstruct.held_out");
  const auto names = [](const std::vector<std::size_t>& list, std::size_t i) {
    return std::find(list.begin(), list.end(), i) != list.end();
  };
  for (std::size_t i = 0; i < angles.size(); ++i) {
    if (names(request.exclude, i)) continue;
    const bool held = names(held_out, i);
    (held ? plan.held : plan.kept).push_back(i);
    (held ? plan.held_angles : plan.geometry.angles).push_back(angles[i]);
  }
  if (plan.kept.empty())
    throw InputError(plan.held.empty() ? "tilts.exclude" : "reconstruct.held_out", "every projection",
                     "at least one that is used");
  const std::size_t excluded = angles.size() - plan.kept.size() - plan.held.size();
  if (excluded > 0)
    plan.notes.push_back(fmt::format("{} of {} projections are used, {} left out by tilts.exclude",
                                     plan.kept.size(), angles.size(), excluded));
  if (!plan.held.empty())
    plan.notes.push_back(fmt::format("projections {} are kept out of the fit by reconstruct.held_out",
                                     fmt::join(plan.held, ", ")));
}

void note_equal_angles(Plan& plan) {
  const auto same = [](double a, double b) { return std::abs(std::remainder(a - b, 360.0)) < 1e-9; };
  const auto& angles = plan.geometry.angles;
  for (std::size_t i = 0; i < angles.size(); ++i)
    for (std::size_t j = i + 1; j < angles.size(); ++j)
      if (same(angles[i].theta_deg, angles[j].theta_deg) && same(angles[i].phi_deg, angles[j].phi_deg) &&
          same(angles[i].psi_deg, angles[j].psi_deg))
        plan.notes.push_back(
            fmt::format("projections {} and {} have the same angle ({} and {} degrees); both are used",
                        plan.kept[i], plan.kept[j], angles[i].theta_deg, angles[j].theta_deg));
}

double choose_pixel(const Request& request, const io::TiltSeriesInfo& info, Plan& plan) {
  if (request.pixel_A) {
    if (!(*request.pixel_A > 0 && std::isfinite(*request.pixel_A)))
      throw InputError("scan.pixel_A", fmt::format("{}", *request.pixel_A), "a positive length in Å");
    if (const auto note = io::overridden_pixel_note(request.pixel_A, info.pixel_A); !note.empty())
      plan.notes.push_back(note);
    return *request.pixel_A;
  }
  if (!info.pixel_A)
    throw InputError(request.source, "the pixel size is unknown", "scan: {pixel_A: ...} in the config");
  return *info.pixel_A;
}

void turn_axis(const tomography::ReconstructOptions& options, Plan& plan) {
  plan.turned = options.tilt_axis == tomography::TiltAxis::x;
  if (!plan.turned) return;
  if (!plan.plain)
    throw InputError("reconstruct.tilt_axis", "x with angles phi or psi other than zero",
                     "y, or theta alone");
  plan.notes.push_back(
      "the tilt axis is x: images are transposed so that it is y. The volume's frame is the file's, turned "
      "by "
      "180 degrees about the line x = y: its (x, y, z) are the file's (y, x, -z), not mirrored");
}

void choose_volume(const tomography::ReconstructOptions& options, Plan& plan) {
  auto& geometry = plan.geometry;
  geometry.volume_px =
      options.volume_px.value_or(std::array<std::size_t, 3>{geometry.nu, geometry.nv, geometry.nu});
  plan.written_px = geometry.volume_px;
  if (element_count(geometry.volume_px) < 1)
    throw InputError("reconstruct.volume_px", fmt::format("[{}]", fmt::join(geometry.volume_px, ", ")),
                     "positive sizes");
  if (options.film) {
    geometry.volume_px = film_volume(plan.written_px, geometry);
    plan.notes.push_back(fmt::format(
        "the film is reconstructed in {} voxels (z, y, x), which hold every view's rays; the middle {} are "
        "written",
        fmt::join(geometry.volume_px, " x "), fmt::join(plan.written_px, " x ")));
  }
  const auto [nz, ny, nx] = geometry.volume_px;
  if (plan.plain && ny != geometry.nv)
    throw InputError("reconstruct.volume_px", fmt::format("{} voxels along y", ny),
                     fmt::format("{}, the number of image rows along the tilt axis", geometry.nv));
  if (nz != nx && !options.film)
    plan.notes.push_back(
        fmt::format("the volume is {} voxels deep and {} wide: the step length dt = step / (projections x "
                    "depth) uses the depth",
                    nz, nx));
}

/// The bounded method that stands in for an unbounded one.
std::string bounded_counterpart(const PetscMethod& petsc) {
  if (petsc.name == "cg") return "bncg";
  if (petsc.name == "lmvm") return "bqnls or blmvm";
  if (petsc.name == "nls") return "bnls";
  if (petsc.name == "ntr") return "bntr";
  if (petsc.name == "ntl") return "bntl";
  return "bncg or bqnls";
}

void check_petsc_method(const tomography::ReconstructOptions& options, const Plan& plan) {
  const std::string& method = options.method;
  const bool linear = plan.petsc->kind == PetscMethod::Kind::linear;
  const auto refuse = [&](const char* key, const std::string& found, const char* expected) {
    throw InputError(key, fmt::format("{} with {}, which knows no bounds", found, method),
                     fmt::format("{}, or the method {}, which keeps to bounds", expected,
                                 bounded_counterpart(*plan.petsc)));
  };
  if (!plan.petsc->bounded && options.nonnegative) refuse("reconstruct.nonnegative", "true", "false");
  if (!plan.petsc->bounded && !linear && options.support != "none")
    refuse("reconstruct.support", options.support, "none");
  refuse_too_many_unknowns(plan.geometry.volume_px);
}

void choose_method(const tomography::ReconstructOptions& options, Plan& plan) {
  const std::string& method = options.method;
  const std::size_t projections = plan.geometry.angles.size();
  plan.accelerated = method.ends_with("nesterov");
  plan.petsc = petsc_method(method);
  plan.iterations = method == "wbp" ? 1 : options.iterations;
  if (method.starts_with("os-")) {
    plan.subsets = options.subsets.value_or(automatic_subsets(projections));
    if (plan.subsets < 1 || plan.subsets > projections)
      throw InputError("reconstruct.subsets", fmt::format("{}", plan.subsets),
                       fmt::format("1 to {}, the number of projections", projections));
  }
  using tomography::Preconditioner;
  const Preconditioner wanted = options.preconditioner.value_or(
      method == "bqnls" && plan.plain && !options.refine_angles ? Preconditioner::ramp
                                                                : Preconditioner::none);
  plan.preconditioned = wanted == Preconditioner::ramp;
  if (plan.preconditioned && method != "bqnls")
    throw InputError("reconstruct.preconditioner", "ramp with " + method,
                     "none, or the method bqnls: the others gain nothing from it");
  if (plan.preconditioned && (!plan.plain || options.refine_angles))
    throw InputError("reconstruct.preconditioner", "ramp with angles other than theta",
                     "none: the filter is that of a plain tilt series");
  if (plan.petsc) check_petsc_method(options, plan);
  if (options.tv_weight > 0 && !(plan.petsc && plan.petsc->kind == PetscMethod::Kind::gradient))
    throw InputError("reconstruct.tv_weight", fmt::format("{} with {}", options.tv_weight, method),
                     "0, or a method of PETSc TAO that works from the gradient: bqnls, blmvm, bncg");
}

/// Stopping rules and what judges the volume.
void check_judges(const tomography::ReconstructOptions& options, const Plan& plan) {
  if (options.patience > 0 && plan.held.empty())
    throw InputError("reconstruct.patience", "a number of iterations, but no projections held out",
                     "reconstruct.held_out: [numbers of projections]");
  if (options.fsc && plan.kept.size() < 2)
    throw InputError("reconstruct.fsc", fmt::format("{} projection", plan.kept.size()),
                     "at least two, one for each half");
}

void check_refinement(const tomography::ReconstructOptions& options, const Plan& plan) {
  if (!options.refine_angles) return;
  if (options.film)
    throw InputError("reconstruct.film", "true with refine_angles",
                     "false: moved images say nothing of a film at their borders");
  if (!plan.held.empty())
    throw InputError("reconstruct.held_out", "projections held out with refine_angles",
                     "none: their angles would be refined against nothing");
  if (plan.kept.size() < kFewestRefined)
    throw InputError("reconstruct.refine_angles", fmt::format("true with {} projections", plan.kept.size()),
                     fmt::format("at least {}: the others must show where one belongs", kFewestRefined));
  if (plan.geometry.nv < kSmallestRefined || plan.geometry.nu < kSmallestRefined)
    throw InputError("reconstruct.refine_angles",
                     fmt::format("true with images of {} x {} pixels", plan.geometry.nv, plan.geometry.nu),
                     fmt::format("at least {} pixels on each side", kSmallestRefined));
}

}  // namespace

Plan with_projections(const Plan& plan, std::vector<std::size_t> kept, std::vector<EulerAngles> angles) {
  Plan other = plan;
  other.subsets = std::min(plan.subsets, kept.size());
  other.kept = std::move(kept);
  other.geometry.angles = std::move(angles);
  return other;
}

std::array<std::size_t, 3> film_volume(const std::array<std::size_t, 3>& middle_px,
                                       const tomography::Geometry& geometry) {
  constexpr double kSteepest = 0.1;  // cosine of the tilt
  const auto half = [](std::size_t n) { return static_cast<double>(centre_index(n)); };
  double x = half(middle_px[2]), y = half(middle_px[1]);
  for (const EulerAngles& angles : geometry.angles) {
    const Mat3 rotation = rotation_matrix(angles);
    const Vec3 beam = rotation.col(2);
    if (std::abs(beam.z()) < kSteepest)
      throw InputError("reconstruct.film", fmt::format("a view at {} degrees", angles.theta_deg),
                       "tilts up to 84 degrees: others look along the film");
    for (double u : {-half(geometry.nu), half(geometry.nu)})
      for (double v : {-half(geometry.nv), half(geometry.nv)})
        for (double z : {-half(middle_px[0]), half(middle_px[0])}) {
          const Vec3 start = rotation * Vec3(u, v, 0);
          const Vec3 place = start + beam * ((z - start.z()) / beam.z());
          x = std::max(x, std::abs(place.x()));
          y = std::max(y, std::abs(place.y()));
        }
  }
  // To the nearest voxel, as the public code's volumes are: a corner may miss half a voxel.
  const auto whole = [](double n) { return 2 * static_cast<std::size_t>(std::round(n)) + 1; };
  const bool plain = tomography::is_plain_tilt_series(geometry.angles);
  return {middle_px[0], plain ? geometry.nv : std::max(middle_px[1], whole(y)),
          std::max(middle_px[2], whole(x))};
}

Plan make_plan(const Request& request) {
  check_options(request.options);
  const io::TiltSeriesInfo info =
      request.header ? *request.header : io::read_tilt_series_info(request.source);
  Plan plan;
  plan.images_in_file = info.tilts;
  plan.file_ny = info.ny;
  plan.file_nx = info.nx;
  plan.signal =
      io::choose_detector_signal(request.source, request.options.signal, info.signals, "reconstruct.signal");
  note_other_detectors(request, info, plan);
  keep_projections(request, io::angles_of_images(request.source, info, request.angles), plan);
  plan.plain = tomography::is_plain_tilt_series(plan.geometry.angles) &&
               tomography::is_plain_tilt_series(plan.held_angles);
  plan.fourier = request.options.projector == tomography::Projector::fourier;
  note_equal_angles(plan);
  turn_axis(request.options, plan);
  plan.geometry.nv = plan.turned ? info.nx : info.ny;
  plan.geometry.nu = plan.turned ? info.ny : info.nx;
  if (plan.geometry.nu < kSmallestImage || plan.geometry.nv < 1)
    throw InputError(request.source, fmt::format("images of {} x {} pixels", info.ny, info.nx),
                     fmt::format("at least {} pixels across the tilt axis", kSmallestImage));
  plan.pixel_A = choose_pixel(request, info, plan);
  choose_volume(request.options, plan);
  choose_method(request.options, plan);
  check_judges(request.options, plan);
  check_refinement(request.options, plan);
  return plan;
}

}  // namespace aetos::reconstruction
