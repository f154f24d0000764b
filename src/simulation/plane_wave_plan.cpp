#include "aetos/simulation/plane_wave_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <utility>

#include "aetos/core/error.hpp"
#include "aetos/core/fft.hpp"
#include "aetos/core/program_memory.hpp"
#include "aetos/simulation/wave_group.hpp"

namespace aetos::simulation {
namespace {

using multislice::DetectorKind;
using multislice::DetectorOptions;

constexpr double kBytesPerRank = 1024.0 * 1048576;
constexpr double kSamePixel = 1e-3;

void check_request(const Request& request) {
  if (request.multislice.slicing == multislice::Slicing::finite)
    throw InputError("multislice.slicing", "finite, with mode plane_wave", "projected");
  for (std::size_t d = 0; d < request.detectors.size(); ++d) {
    const auto kind = request.detectors[d].kind;
    if (kind != DetectorKind::image && kind != DetectorKind::pixelated)
      throw InputError(fmt::format("detectors[{}].kind", d),
                       "a detector of a scanned probe, with a plane wave",
                       "image (through an objective aperture) or pixelated (a diffraction pattern); or "
                       "multislice.mode: probe");
  }
}

/// The lens and the grid in the words of a probe.
Request as_probe(const Request& request, std::size_t binning) {
  Request probe = request;
  probe.scan.probe_step_A = multislice::ScanOptions::Pixel{};
  probe.multislice.sampling_A = request.scan.pixel_A / static_cast<double>(binning);
  probe.multislice.window = multislice::WindowFull{};
  double widest = 0;
  for (const auto& d : request.detectors)
    if (d.kind == DetectorKind::image) widest = std::max(widest, d.outer_mrad);
  if (widest > 0) probe.microscope.convergence_mrad = widest;
  return probe;
}

std::size_t binning_of(const Request& request, double pixel_A) {
  const auto wanted =
      static_cast<std::size_t>(std::ceil(std::max(1.0, pixel_A / request.multislice.sampling_A - 1e-6)));
  return fft::fast_size(wanted, 1);
}

/// One axis of the cell: its pixels, and where the image begins in it.
struct Axis {
  std::size_t cell_px, first;
  double sampling_A, corner_A;
};

/// `centre`: the pixel of the image whose middle lies on the rotation centre.
Axis axis_of(std::size_t pixels, std::size_t binning, double sampling_A, double side_A, bool repeats,
             std::size_t strip_px) {
  Axis axis{pixels * binning, 0, sampling_A, 0};
  if (!repeats) {
    const std::size_t least =
        std::max(axis.cell_px, static_cast<std::size_t>(std::ceil(side_A / sampling_A)));
    axis.cell_px = fft::fast_size(least + strip_px);
    axis.first = (axis.cell_px - pixels * binning) / 2 / strip_px * strip_px;
  }
  const auto middle =
      static_cast<double>(axis.first + pixels / 2 * binning) + (static_cast<double>(binning) - 1) / 2;
  axis.corner_A = -middle * sampling_A;
  return axis;
}

/// A periodic axis is a whole number of pixels, and the image is one period of it.
std::size_t pixels_of_period(double period_A, double pixel_A) {
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(period_A / pixel_A)));
}

void fit_pixels_to_periods(const std::array<double, 2>& period_A, ScanGrid& scan) {
  std::array<double, 2> pixel{scan.pixel_A, scan.pixel_A};
  const std::array<std::size_t*, 2> count{&scan.ny, &scan.nx};
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (!(period_A[axis] > 0)) continue;
    *count[axis] = pixels_of_period(period_A[axis], scan.pixel_A);
    pixel[axis] = period_A[axis] / static_cast<double>(*count[axis]);
  }
  if (period_A[0] > 0 && period_A[1] > 0 && std::abs(pixel[0] / pixel[1] - 1) > kSamePixel)
    throw InputError(
        "scan.pixel_A",
        fmt::format("{} Å, which makes pixels of {:.5f} x {:.5f} Å in a cell of {:.4f} x {:.4f} Å",
                    scan.pixel_A, pixel[1], pixel[0], period_A[1], period_A[0]),
        "a pixel that divides both sides of the periodic cell");
  scan.pixel_A = period_A[1] > 0 ? pixel[1] : pixel[0];
}

std::vector<Tile> strips_of(const ScanGrid& scan) {
  std::vector<Tile> strips;
  for (std::size_t y = 0; y < scan.ny; y += kStripRows)
    strips.push_back({y, std::min(y + kStripRows, scan.ny), 0, scan.nx});
  return strips;
}

/// What a rank holds while it shares a wave.
double computing_bytes(const PlaneWavePlan& wave, std::size_t ranks) {
  const auto atoms = static_cast<double>(wave.plan.sites.atom.size()) * 400;
  const auto rows = static_cast<double>(wave.plan.scan.ny) / static_cast<double>(ranks) + kStripRows;
  const double images = rows * static_cast<double>(wave.plan.scan.nx * (wave.plan.imaging.size() + 1)) * 8;
  return kProgramBytes + atoms + images + WaveGroup::bytes(wave.grid(), ranks);
}

}  // namespace

multislice::FftGrid PlaneWavePlan::grid() const {
  return {plan.grid.cell_x_px, plan.grid.cell_y_px, plan.grid.sampling_x_A, plan.grid.sampling_y_A};
}

PlaneWavePlan make_plane_wave_plan(const Request& request) {
  check_request(request);
  const std::size_t first_binning = binning_of(request, request.scan.pixel_A);
  PlaneWavePlan wave{as_probe(request, first_binning), {}, {}, first_binning, 0, 0, 1};
  Plan& plan = wave.plan;
  plan = make_plan(wave.request);
  wave.patterns = std::exchange(plan.cameras, {});
  const auto period = [](std::size_t px, double sampling) { return static_cast<double>(px) * sampling; };
  const std::array<double, 2> period_A{period(plan.grid.cell_y_px, plan.grid.sampling_y_A),
                                       period(plan.grid.cell_x_px, plan.grid.sampling_x_A)};
  fit_pixels_to_periods(period_A, plan.scan);
  wave.binning = binning_of(request, plan.scan.pixel_A);
  const auto sampling = [&](double period_of_axis, std::size_t pixels) {
    const double pixel =
        period_of_axis > 0 ? period_of_axis / static_cast<double>(pixels) : plan.scan.pixel_A;
    return pixel / static_cast<double>(wave.binning);
  };
  const Axis y = axis_of(plan.scan.ny, wave.binning, sampling(period_A[0], plan.scan.ny), plan.full_side_A[0],
                         period_A[0] > 0, wave.strip_px());
  const Axis x = axis_of(plan.scan.nx, wave.binning, sampling(period_A[1], plan.scan.nx), plan.full_side_A[1],
                         period_A[1] > 0, wave.strip_px());
  plan.grid = {x.sampling_A, y.sampling_A, x.cell_px, y.cell_px, Vec2(x.corner_A, y.corner_A)};
  wave.first_row = y.first;
  wave.first_column = x.first;
  plan.angle_limit_mrad =
      multislice::angle_limit_mrad(request.microscope.voltage_kV, std::max(x.sampling_A, y.sampling_A));
  plan.tiles = strips_of(plan.scan);
  const double nyquist_A = nyquist_step_A(plan.wavelength_A, wave.request.microscope.convergence_mrad);
  if (plan.scan.pixel_A > nyquist_A * (1 + 1e-9))
    plan.warnings.push_back(
        fmt::format("pixels of {:.4f} Å are wider than the {:.4f} Å that images through an aperture of {} "
                    "mrad need; they "
                    "hold the mean over their area",
                    plan.scan.pixel_A, nyquist_A, wave.request.microscope.convergence_mrad));
  wave.request.scan.pixel_A = plan.scan.pixel_A;
  while (wave.ranks_per_wave < 1024 && computing_bytes(wave, wave.ranks_per_wave) > kBytesPerRank)
    wave.ranks_per_wave *= 2;
  if (request.multislice.ranks_per_wave)
    wave.ranks_per_wave = static_cast<std::size_t>(*request.multislice.ranks_per_wave);
  return wave;
}

double plane_wave_bytes(const PlaneWavePlan& wave, std::size_t ranks) {
  // At the end one rank puts a tilt's images together.
  const double writing = static_cast<double>(wave.plan.scan.probes() * (wave.plan.imaging.size() + 5)) * 8;
  return std::max(computing_bytes(wave, ranks), kProgramBytes + writing);
}

std::size_t group_size(const PlaneWavePlan& wave, std::size_t available) {
  if (wave.ranks_per_wave <= available) return wave.ranks_per_wave;
  std::size_t size = 1;
  while (2 * size <= available) size *= 2;
  return size;
}

}  // namespace aetos::simulation
