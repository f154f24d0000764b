#include "aetos/simulation/detector_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "aetos/core/error.hpp"

namespace aetos::simulation {
namespace {

using multislice::DetectorKind;
using multislice::DetectorOptions;

/// Below this share of the angle limit the grid's soft band limit is 1.
constexpr double kUntouchedShare = 0.97;

/// lambda (2/3) / (2 sampling) = angle, solved for the sampling and rounded down to a tenth of a
/// milliångström.
double sampling_for(double angle_mrad, double wavelength_A) {
  return std::floor(wavelength_A / (3 * angle_mrad * 1e-3) * 1e4) / 1e4;
}

void check_angles(const DetectorOptions& d, const std::string& key) {
  if (!std::isfinite(d.inner_mrad) || d.inner_mrad < 0)
    throw InputError(key + ".inner_mrad", fmt::format("{}", d.inner_mrad), "an angle of at least 0 mrad");
  const bool open_ended =
      (d.kind == DetectorKind::radial || d.kind == DetectorKind::com) && d.outer_mrad == 0;
  if (!open_ended && !(d.outer_mrad > d.inner_mrad))
    throw InputError(key + ".outer_mrad", fmt::format("{} mrad", d.outer_mrad),
                     fmt::format("more than inner_mrad, {} mrad", d.inner_mrad));
  if (d.kind == DetectorKind::segmented && (d.rings < 1 || d.segments < 1))
    throw InputError(key + ".segments", fmt::format("{} rings of {} segments", d.rings, d.segments),
                     "one or more of each");
  if (d.idpc && d.kind != DetectorKind::com && !(d.kind == DetectorKind::segmented && d.segments >= 3))
    throw InputError(key + ".idpc", "asked of a detector that measures no direction",
                     "kind com, or segmented with 3 segments or more");
  const bool stepped = d.kind == DetectorKind::radial || d.kind == DetectorKind::pixelated;
  if (stepped && !(d.step_mrad > 0))
    throw InputError(key + ".step_mrad", fmt::format("{} mrad", d.step_mrad), "a width above 0");
}

double ring_area(double inner, double outer) {
  return outer * outer - inner * inner;
}

}  // namespace

DetectorPlan plan_detectors(const std::vector<DetectorOptions>& detectors, double angle_limit_mrad,
                            double wavelength_A) {
  if (detectors.empty()) throw InputError("detectors", "none", "at least one detector");
  DetectorPlan plan;
  std::set<std::string> names;
  for (std::size_t i = 0; i < detectors.size(); ++i) {
    DetectorOptions d = detectors[i];
    const std::string key = fmt::format("detectors[{}]", i);
    if (d.name.empty() || d.name.find_first_of("/. []") != std::string::npos)
      throw InputError(key + ".name", "'" + d.name + "'",
                       "a name without blanks, dots, slashes and brackets");
    if (!names.insert(d.name).second)
      throw InputError(key + ".name", "a second detector named " + d.name, "a name of its own");
    check_angles(d, key);
    if (d.inner_mrad >= angle_limit_mrad)
      throw InputError(
          key + ".inner_mrad",
          fmt::format("{} mrad, while the sampling ends at {:.1f} mrad", d.inner_mrad, angle_limit_mrad),
          fmt::format("a detector within it, or multislice.sampling_A of {:.4f} or less",
                      sampling_for(std::max(d.outer_mrad, d.inner_mrad), wavelength_A)));
    double share = 1;
    if (d.outer_mrad > angle_limit_mrad) {
      share = ring_area(d.inner_mrad, angle_limit_mrad) / ring_area(d.inner_mrad, d.outer_mrad);
      plan.warnings.push_back(fmt::format(
          "detector {} reaches {:.1f} mrad, but the simulated angles end at {:.1f} mrad: {:.1f} % of its "
          "solid angle "
          "is covered; multislice.sampling_A: {:.4f} would reach it",
          d.name, d.outer_mrad, angle_limit_mrad, 100 * share, sampling_for(d.outer_mrad, wavelength_A)));
      if (d.kind == DetectorKind::radial || d.kind == DetectorKind::pixelated)
        d.outer_mrad = angle_limit_mrad;
    }
    if (d.kind == DetectorKind::radial && d.outer_mrad == 0) d.outer_mrad = angle_limit_mrad;
    plan.detectors.push_back(d);
    plan.covered_share.push_back(share);
  }
  return plan;
}

void check_convergence(double convergence_mrad, double angle_limit_mrad, double wavelength_A) {
  if (!(convergence_mrad > 0) || !std::isfinite(convergence_mrad))
    throw InputError("microscope.convergence_mrad", fmt::format("{}", convergence_mrad),
                     "an angle above 0 mrad");
  // The band limit sets in a little below the limit; a probe must not feel it.
  if (convergence_mrad >= kUntouchedShare * angle_limit_mrad)
    throw InputError("microscope.convergence_mrad",
                     fmt::format("{} mrad, beyond the {:.1f} mrad that the sampling carries",
                                 convergence_mrad, angle_limit_mrad),
                     fmt::format("a smaller angle, or multislice.sampling_A of {:.4f} or less",
                                 sampling_for(convergence_mrad * 1.05, wavelength_A)));
}

double narrowest_window_A(double convergence_mrad, double wavelength_A) {
  return 5 * wavelength_A / (convergence_mrad * 1e-3);
}

}  // namespace aetos::simulation
