#include "aetos/simulation/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/atoms/film.hpp"
#include "aetos/atoms/measures.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/core/units.hpp"
#include "aetos/imaging/dose.hpp"
#include "aetos/multislice/probe.hpp"
#include "aetos/simulation/signals.hpp"

namespace aetos::simulation {
namespace {

constexpr double kProbeMargin_A = 3.2;
/// Sides of a tile. Larger ones share one potential among more probes (docs/performance.md), but hold more
/// memory and leave less to share out.
constexpr double kTileSide_A = 5.5, kLargeTileSide_A = 8.2;
constexpr std::size_t kManyTiles = 500;  ///< of all tilts and configurations

bool is_untilted(const Mat3& rotation) {
  return rotation.isIdentity(1e-12);
}

/// Length of the cell along x (0) or y (1) if the specimen repeats there at every tilt, else 0.
double period_A(const Request& request, const std::vector<Mat3>& rotation, int axis) {
  const auto& cell = request.specimen.cell;
  if (!cell || !cell->periodic[static_cast<std::size_t>(axis)]) return 0;
  if (!std::all_of(rotation.begin(), rotation.end(), is_untilted)) return 0;
  Vec3 along = cell->vectors.row(axis).transpose();
  const double length = along[axis];
  along[axis] = 0;
  return length > 0 && along.norm() < 1e-6 * length ? length : 0;
}

void warn_of_lost_periods(const Request& request, const std::vector<Mat3>& rotation, Plan& plan) {
  const auto& cell = request.specimen.cell;
  if (!cell || !(cell->periodic[0] || cell->periodic[1])) return;
  const bool tilted = !std::all_of(rotation.begin(), rotation.end(), is_untilted);
  if (tilted)
    plan.warnings.push_back(
        "the specimen's cell is periodic, but a tilted cell does not repeat along the image: its atoms are "
        "simulated "
        "as a finite particle in vacuum, at every tilt");
  else if ((cell->periodic[0] && plan.grid.cell_x_px == 0) || (cell->periodic[1] && plan.grid.cell_y_px == 0))
    plan.warnings.push_back(
        "the specimen's cell is periodic but not along x and y: its atoms are simulated as a finite particle "
        "in vacuum");
}

/// Sets the sampling of one axis: whole pixels of a period, in a size that transforms fast, never coarser
/// than asked.
void sample_axis(double period, double sampling_A, std::size_t& cell_px, double& achieved_A) {
  achieved_A = sampling_A;
  if (!(period > 0)) return;
  cell_px = fft::fast_size(static_cast<std::size_t>(std::ceil(period / sampling_A - 1e-6)));
  achieved_A = period / static_cast<double>(cell_px);
}

multislice::LateralGrid lateral_grid(const Request& request, const std::vector<Mat3>& rotation) {
  multislice::LateralGrid grid;
  const double period_x = period_A(request, rotation, 0), period_y = period_A(request, rotation, 1);
  sample_axis(period_x, request.multislice.sampling_A, grid.cell_x_px, grid.sampling_x_A);
  sample_axis(period_y, request.multislice.sampling_A, grid.cell_y_px, grid.sampling_y_A);
  // Pixel (0, 0) of a periodic cell lies on the cell's own corner, as other codes have it.
  if (request.specimen_options.origin == atoms::Origin::cell_centre)
    grid.corner_A = Vec2(-period_x / 2, -period_y / 2);
  return grid;
}

void check_numbers(const Request& request) {
  const auto positive = [](double value, const char* key, const char* unit) {
    if (!(value > 0) || !std::isfinite(value))
      throw InputError(key, fmt::format("{}", value), fmt::format("a number of {} above 0", unit));
  };
  positive(request.microscope.voltage_kV, "microscope.voltage_kV", "kV");
  positive(request.multislice.sampling_A, "multislice.sampling_A", "Å");
  positive(request.multislice.slice_A, "multislice.slice_A", "Å");
  if (!(request.microscope.source_fwhm_A >= 0))
    throw InputError("microscope.source_fwhm_A", fmt::format("{}", request.microscope.source_fwhm_A),
                     "0 Å or more");
  if (request.tilts.empty()) throw InputError("tilts", "no tilt angles", "at least one");
  if (request.specimen.size() == 0) throw InputError("specimen.file", "no atoms", "at least one");
}

/// Slices of one tilt: all atoms at rest, and three rms displacements more.
multislice::SliceGrid slices_of_tilt(const Request& request, const Plan& plan, std::size_t tilt) {
  double low = 0, high = 0;
  bool first = true;
  for (std::size_t i : plan.sites.atom) {
    const double z = to_beam_frame(plan.rotation[tilt], request.specimen.position[i]).z();
    low = first ? z : std::min(low, z);
    high = first ? z : std::max(high, z);
    first = false;
  }
  const double more = 3 * plan.thermal.largest_rms_A();
  return multislice::SliceGrid::covering(low - more, high + more, request.multislice.slice_A);
}

/// The widest beam anywhere in the specimen: the reference plane lies in its middle or at its top.
double probe_radius_A(const Request& request, const Plan& plan) {
  const auto& m = request.microscope;
  const double depth = request.multislice.slice_A * static_cast<double>(plan.slice_count());
  const bool centre = m.focus_reference == multislice::FocusReference::centre;
  const double before = centre ? depth / 2 : 0, behind = depth - before;
  const double tilt = 1e-3 * std::hypot(m.beam_tilt_mrad[0], m.beam_tilt_mrad[1]);
  const double spread = 2 * multislice::focal_spread_A(m);
  return std::max(multislice::ray_radius_A(m, m.defocus_A + before + spread),
                  multislice::ray_radius_A(m, m.defocus_A - behind - spread)) +
         tilt * std::max(before, behind);
}

/// Side of a cell that holds the field and every atom, and around them 6 Å and the width of the beam: a probe
/// at the border then feels nothing of the opposite side. At least as wide as the aperture needs.
std::array<double, 2> full_side_A(const Request& request, const Plan& plan, double outer_radius) {
  const double field_y = static_cast<double>(plan.scan.ny) / 2 * plan.scan.pixel_A;
  const double field_x = static_cast<double>(plan.scan.nx) / 2 * plan.scan.pixel_A;
  const double half = std::max({outer_radius, field_y, field_x}) + kFieldMargin_A + plan.probe_radius_A;
  const double side =
      std::max(2 * half, narrowest_window_A(request.microscope.convergence_mrad, plan.wavelength_A));
  return {side, side};
}

void warn_of_coarse_scan(const Request& request, Plan& plan) {
  const double nyquist = nyquist_step_A(plan.wavelength_A, request.microscope.convergence_mrad);
  if (plan.scan.step_A() <= nyquist * (1 + 1e-9)) return;
  plan.warnings.push_back(
      fmt::format("probes are {:.4f} Å apart, more than the {:.4f} Å that a probe of {} mrad needs to be "
                  "sampled without loss; "
                  "scan.probe_step_A: auto would take {} times as many",
                  plan.scan.step_A(), nyquist, request.microscope.convergence_mrad,
                  static_cast<long>(std::pow(std::ceil(plan.scan.step_A() / nyquist), 2))));
}

}  // namespace

std::size_t Plan::slice_count() const {
  std::size_t most = 0;
  for (const auto& s : slices) most = std::max(most, s.count);
  return most;
}

namespace {

void check_noise(const Request& request, const Plan& plan) {
  for (std::size_t d = 0; d < request.detectors.size(); ++d) {
    const auto& detector = request.detectors[d];
    if (noise_of(detector).is_none()) continue;
    const std::string key = fmt::format("detectors[{}]", d);
    if (!plan.electrons_per_pixel)
      throw InputError(key, "noise of a detector without a dose",
                       "microscope.dose_e_per_A2 or a current, which set how many electrons are counted");
    if (detector.kind == multislice::DetectorKind::com)
      throw InputError(key, "noise of a detector that counts no electrons (com)",
                       "offset_electrons, gain_sd and read_noise_electrons of another kind, as segmented");
  }
}

void warn_of_few_foci(const Request& request, Plan& plan) {
  const int enough = multislice::enough_focal_points(request.microscope);
  if (static_cast<int>(plan.focal_series.size()) >= enough) return;
  const double spread = multislice::focal_spread_A(request.microscope);
  const std::string advice =
      enough <= multislice::kMostFocalPoints
          ? fmt::format("microscope.focal_points: {} takes them", enough)
          : fmt::format("more than the {} that microscope.focal_points allows", multislice::kMostFocalPoints);
  plan.warnings.push_back(
      fmt::format("a focal spread of {:.3g} Å at {} mrad needs about {} foci for an error of 1 %, and {} are "
                  "simulated; {}",
                  spread, request.microscope.convergence_mrad, enough, plan.focal_series.size(), advice));
}

void check_kinds(const Request& request) {
  if (request.multislice.mode == multislice::Mode::plane_wave) return;
  for (std::size_t d = 0; d < request.detectors.size(); ++d)
    if (request.detectors[d].kind == multislice::DetectorKind::image)
      throw InputError(fmt::format("detectors[{}].kind", d), "an image through a lens, of a scanned probe",
                       "multislice.mode: plane_wave; or annular");
}

void check_cameras(const Request& request, Plan& plan) {
  if (plan.imaging.empty())
    throw InputError("detectors", "only pixelated ones",
                     "one beside them that makes images, as annular (or image, of a plane wave)");
  for (const auto& camera : plan.cameras)
    for (std::size_t tilt : camera.tilts.value_or(std::vector<std::size_t>{}))
      if (tilt >= request.tilts.size())
        throw InputError("detectors." + camera.name + ".tilts", fmt::format("{}", tilt),
                         fmt::format("0 to {}", request.tilts.size() - 1));
  if (!plan.cameras.empty() && request.microscope.source_fwhm_A > 0)
    plan.warnings.push_back("the source size is not applied to the patterns of pixelated detectors");
}

}  // namespace

double narrowest_window_A(const Request& request, const Plan& plan) {
  return std::max(narrowest_window_A(request.microscope.convergence_mrad, plan.wavelength_A),
                  2 * (plan.probe_radius_A + kProbeMargin_A));
}

void cut_into_tiles(Plan& plan, bool whole_cell) {
  plan.tiles = make_tiles(plan.scan, kLargeTileSide_A, whole_cell);
  const std::size_t images = plan.rotation.size() * plan.configurations();
  if (!plan.cameras.empty() || images * plan.tiles.size() < kManyTiles)
    plan.tiles = make_tiles(plan.scan, kTileSide_A, whole_cell);
}

Plan make_plan(const Request& request) {
  check_numbers(request);
  Plan plan;
  const auto add = [&plan](const std::vector<std::string>& more) {
    plan.warnings.insert(plan.warnings.end(), more.begin(), more.end());
  };
  plan.wavelength_A = electron_wavelength_A(request.microscope.voltage_kV);
  for (const auto& angles : request.tilts) plan.rotation.push_back(rotation_matrix(angles));
  plan.grid = lateral_grid(request, plan.rotation);
  const double coarsest = std::max(plan.grid.sampling_x_A, plan.grid.sampling_y_A);
  plan.angle_limit_mrad = multislice::angle_limit_mrad(request.microscope.voltage_kV, coarsest);
  check_convergence(multislice::largest_probe_angle_mrad(request.microscope), plan.angle_limit_mrad,
                    plan.wavelength_A);
  plan.focal_series = multislice::focal_series(request.microscope);
  plan.detectors = plan_detectors(request.detectors, plan.angle_limit_mrad, plan.wavelength_A);
  plan.electrons_per_pixel =
      imaging::electrons_per_pixel({request.microscope.dose_e_per_A2, request.microscope.dose_total_e_per_A2,
                                    request.microscope.screen_current_pA, request.microscope.dwell_us},
                                   request.scan.pixel_A, request.tilts.size());

  for (const auto& detector : plan.detectors.detectors) {
    const bool is_camera = detector.kind == multislice::DetectorKind::pixelated;
    auto& kept = (is_camera ? plan.cameras : plan.imaging).emplace_back(detector);
    kept.second_moments = kept.kind == multislice::DetectorKind::com && plan.electrons_per_pixel.has_value();
  }
  check_kinds(request);
  check_cameras(request, plan);
  check_noise(request, plan);

  plan.thermal = atoms::thermal_model(request.specimen, request.specimen_options.thermal, request.snapshots);
  plan.sites = atoms::filled_sites(request.specimen, request.specimen_options.occupancy, request.seed);
  plan.film = atoms::film_atoms(request.specimen);
  const double radius = atoms::outer_radius(atoms::without_film(request.specimen));
  plan.scan = scan_grid(request.scan, radius, plan.wavelength_A, request.microscope.convergence_mrad);
  cut_into_tiles(plan);
  for (std::size_t t = 0; t < request.tilts.size(); ++t)
    plan.slices.push_back(slices_of_tilt(request, plan, t));
  plan.probe_radius_A = probe_radius_A(request, plan);
  plan.full_side_A = full_side_A(request, plan, radius);

  add(atoms::specimen_warnings(request.specimen, request.specimen_options.origin));
  add(plan.thermal.warnings);
  add(plan.detectors.warnings);
  warn_of_lost_periods(request, plan.rotation, plan);
  if (request.multislice.mode == multislice::Mode::probe) warn_of_coarse_scan(request, plan);
  warn_of_few_foci(request, plan);
  return plan;
}

multislice::EngineSettings engine_settings(const Request& request, const Plan& plan,
                                           std::array<std::size_t, 2> window_px, bool whole) {
  multislice::EngineSettings settings;
  settings.microscope = request.microscope;
  settings.detectors = plan.imaging;
  settings.multislice = request.multislice;
  settings.grid = plan.grid;
  settings.window_y_px = window_px[0];
  settings.window_x_px = window_px[1];
  if (!whole) {
    // Windows cut the probe of the whole cell, so that their images compare with those of `full`.
    const auto side = [](double full_A, std::size_t cell_px, double sampling) {
      return cell_px ? static_cast<double>(cell_px) * sampling : full_A;
    };
    settings.probe_cell_A = std::max(side(plan.full_side_A[0], plan.grid.cell_y_px, plan.grid.sampling_y_A),
                                     side(plan.full_side_A[1], plan.grid.cell_x_px, plan.grid.sampling_x_A));
    return settings;
  }
  const auto close = [](std::size_t window, std::size_t& cell, double sampling, double& corner) {
    if (cell != 0) return;
    cell = window;
    corner = -static_cast<double>(window / 2) * sampling;
  };
  close(window_px[0], settings.grid.cell_y_px, plan.grid.sampling_y_A, settings.grid.corner_A.y());
  close(window_px[1], settings.grid.cell_x_px, plan.grid.sampling_x_A, settings.grid.corner_A.x());
  return settings;
}

namespace {

bool beyond_cell(const Plan& plan, const Vec3& r) {
  return (plan.grid.cell_x_px == 0 && 2 * std::abs(r.x()) > plan.full_side_A[1]) ||
         (plan.grid.cell_y_px == 0 && 2 * std::abs(r.y()) > plan.full_side_A[0]);
}

template <class Displacement>
multislice::BeamAtoms rotated(const Request& request, const Plan& plan, std::size_t tilt,
                              Displacement displacement) {
  multislice::BeamAtoms beam;
  beam.weight.reserve(plan.sites.atom.size());
  beam.position.reserve(plan.sites.atom.size());
  beam.atomic_number.reserve(plan.sites.atom.size());
  for (std::size_t k = 0; k < plan.sites.atom.size(); ++k) {
    const std::size_t i = plan.sites.atom[k];
    const Vec3 r = to_beam_frame(plan.rotation[tilt], request.specimen.position[i] + displacement(i));
    // No probe feels a film beyond the whole cell, where it would come in again on the other side.
    if (plan.film[i] && beyond_cell(plan, r)) continue;
    beam.weight.push_back(plan.sites.weight[k]);
    beam.atomic_number.push_back(request.specimen.atomic_number[i]);
    beam.position.push_back(r);
  }
  return beam;
}

}  // namespace

multislice::BeamAtoms beam_atoms(const Request& request, const Plan& plan, std::size_t tilt,
                                 std::size_t configuration) {
  return rotated(request, plan, tilt, [&](std::size_t i) {
    return plan.thermal.displacement(request.seed, tilt, configuration, i);
  });
}

multislice::BeamAtoms beam_atoms_at_rest(const Request& request, const Plan& plan, std::size_t tilt) {
  return rotated(request, plan, tilt, [](std::size_t) { return Vec3(Vec3::Zero()); });
}

}  // namespace aetos::simulation
