#include "aetos/tracing/predict.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "aetos/core/units.hpp"
#include "aetos/multislice/scattering.hpp"
#include "noise.hpp"

namespace aetos::tracing {
namespace {

constexpr std::size_t kMostAtoms = 400;

/// The transfer at spatial frequency `q` (1/Å) of the image that an annular detector makes of one atom, times
/// its cross-section in Å²: pairs of rays of the probe's cone that are q apart, scattered to the same place
/// of the ring (first Born approximation). At q = 0 the cross-section itself.
double ring_transfer_A2(const PlannedSeries& series, std::uint8_t atomic_number, double q) {
  constexpr std::size_t kRings = 24, kAngles = 32, kSide = 16;
  const double per_mrad = 1e-3 / electron_wavelength_A(series.microscope.voltage_kV);
  const double cone = series.microscope.convergence_mrad * per_mrad, first = series.inner_mrad * per_mrad,
               dk = (series.outer_mrad - series.inner_mrad) * per_mrad / kRings;
  const auto middle = [](std::size_t i) { return static_cast<double>(i) + 0.5; };
  const auto along = [&](std::size_t i) { return cone * (2 * middle(i) / kSide - 1); };
  const auto factor = [&](double kx, double ky) {
    return multislice::scattering_factor_A(series.parametrization, atomic_number, kx * kx + ky * ky);
  };
  double sum = 0, pairs = 0;
  for (std::size_t i = 0; i < kSide * kSide; ++i) {
    const double x = along(i % kSide), y = along(i / kSide), half = q / 2;
    if (std::hypot(std::abs(x) + half, y) > cone) continue;
    pairs += 1;
    for (std::size_t r = 0; r < kRings; ++r)
      for (std::size_t p = 0; p < kAngles; ++p) {
        const double k = first + middle(r) * dk, angle = 2 * kPi * middle(p) / kAngles;
        const double kx = k * std::cos(angle) - x, ky = k * std::sin(angle) - y;
        sum += 2 * kPi * k * dk / kAngles * factor(kx + half, ky) * factor(kx - half, ky);
      }
  }
  const double phase = interaction_constant_rad_VA(series.microscope.voltage_kV) * kPotentialConstant_VA2;
  return pairs > 0 ? phase * phase * sum / pairs : 0;
}

/// The variance that stands for an atom's own extent where a Gaussian of variance `square` tells most of its
/// place, at the frequency at which q³ exp(-4 pi² S q²) is largest.
double extent_A2(const PlannedSeries& series, std::uint8_t atomic_number, double square) {
  const double cone =
      1e-3 * series.microscope.convergence_mrad / electron_wavelength_A(series.microscope.voltage_kV);
  const double q = std::min(std::sqrt(3 / (8 * kPi * kPi * square)), cone);
  const double ratio =
      ring_transfer_A2(series, atomic_number, q) / ring_transfer_A2(series, atomic_number, 0);
  return ratio > 0 ? std::max(0.0, -std::log(ratio) / (2 * kPi * kPi * q * q)) : 0;
}

/// The atoms with their cross-sections as intensities, all peaks of one width.
State scene_of(const std::vector<Vec3>& position, const std::vector<double>& intensity, double square,
               const std::shared_ptr<const PeakShape>& shape) {
  State s{{{position.size(), 1}, std::vector<std::size_t>(position.size(), 0), shape}, {}};
  const auto& at = s.model.layout;
  s.parameters.resize(at.size());
  for (std::size_t a = 0; a < position.size(); ++a) {
    for (std::size_t i = 0; i < 3; ++i)
      s.parameters[at.position(a) + i] = position[a](static_cast<Eigen::Index>(i));
    s.parameters[at.intensity(a)] = intensity[a];
  }
  s.parameters[at.width(0)] = square;
  return s;
}

}  // namespace

std::optional<double> predict_bound_pm(const Structure& specimen, const std::vector<std::string>& species,
                                       const PlannedSeries& series) {
  std::map<std::uint8_t, double> section;
  std::vector<double> intensity;
  std::vector<std::size_t> wanted;
  double farthest = 0;
  for (std::size_t a = 0; a < specimen.size(); ++a) {
    const std::uint8_t z = specimen.atomic_number[a];
    if (z > 0 && !section.contains(z)) section[z] = ring_transfer_A2(series, z, 0);
    intensity.push_back(z > 0 ? section[z] : 0);
    farthest = std::max(farthest, specimen.position[a].norm());
    if (z > 0 && std::find(species.begin(), species.end(), element_symbol(z)) != species.end())
      wanted.push_back(a);
  }
  if (wanted.empty() || !(series.electrons_per_pixel > 0)) return {};
  std::vector<Vec3> few;
  std::vector<double> few_intensities;
  const std::size_t each = (wanted.size() + kMostAtoms - 1) / kMostAtoms;
  for (std::size_t i = 0; i < wanted.size(); i += each) {
    few.push_back(specimen.position[wanted[i]]);
    few_intensities.push_back(intensity[wanted[i]]);
  }

  const double source = sigma_from_fwhm(series.microscope.source_fwhm_A);
  // A pixel is read at a point; a little width keeps the table of peaks fine enough without a source.
  const double blur = std::max(source * source + series.mean_square_displacement_A2, 0.01);
  const double square = blur + extent_A2(series, specimen.atomic_number[wanted.front()], blur);
  const auto shape =
      std::make_shared<const PeakShape>(PeakShape::probe(series.microscope, farthest, square / 4));
  const State all = scene_of(specimen.position, intensity, square, shape),
              chosen = scene_of(few, few_intensities, square, shape);
  const AtomProjector every(all.model, all.parameters), some(chosen.model, chosen.parameters);
  std::vector<double> information(10 * few.size());
  const double n = series.electrons_per_pixel;
  for (const EulerAngles& tilt : series.tilts) {
    const Mat3 rotation = rotation_matrix(tilt);
    auto variance = every.project(rotation, series.shape, series.pixel_A);
    // Where an image is all but empty, a tenth of an electron stands for what the tails are cut off.
    for (double& v : variance) v = std::max(n * v, 0.1);
    some.add_fisher_information(rotation, n, variance, series.pixel_A, information);
  }
  double sum = 0;
  std::size_t bounded = 0;
  for (std::size_t a = 0; a < few.size(); ++a) {
    const double square_A2 = position_bound(information_matrix(information.data() + 10 * a)).squaredNorm();
    if (square_A2 > 0) sum += square_A2, ++bounded;
  }
  if (bounded == 0) return {};
  return 100 * std::sqrt(sum / static_cast<double>(bounded));
}

}  // namespace aetos::tracing
