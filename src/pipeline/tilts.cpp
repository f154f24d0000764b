#include "aetos/pipeline/tilts.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/tilt_series.hpp"

namespace aetos::pipeline {
namespace {

std::vector<double> expand(const NumberRange& range) {
  std::vector<double> values;
  const auto steps = static_cast<long>(std::floor((range.stop - range.start) / range.step + 1e-9));
  for (long i = 0; i <= steps; ++i) values.push_back(range.start + static_cast<double>(i) * range.step);
  return values;
}

std::vector<EulerAngles> from_thetas(const std::vector<double>& thetas) {
  std::vector<EulerAngles> angles;
  for (double theta : thetas) angles.push_back({0, theta, 0});
  return angles;
}

void note_repeated_angles(const std::vector<EulerAngles>& angles) {
  std::set<std::array<double, 3>> seen;
  std::size_t repeated = 0;
  const auto turn = [](double degrees) { return std::remainder(degrees, 360.0); };
  for (const auto& a : angles)
    if (!seen.insert({turn(a.phi_deg), turn(a.theta_deg), turn(a.psi_deg)}).second) ++repeated;
  if (repeated > 0)
    log::info("note: {} projection(s) share their angle with another one; all are used", repeated);
}

}  // namespace

std::vector<EulerAngles> resolve_tilts(const tomography::TiltOptions& options) {
  std::vector<EulerAngles> angles;
  if (!options.file.empty())
    angles = io::read_angles(options.file);
  else if (!options.euler_deg.empty())
    angles = options.euler_deg;
  else if (const auto* one = std::get_if<double>(&options.theta_deg))
    angles = from_thetas({*one});
  else if (const auto* list = std::get_if<std::vector<double>>(&options.theta_deg))
    angles = from_thetas(*list);
  else if (const auto* range = std::get_if<NumberRange>(&options.theta_deg))
    angles = from_thetas(expand(*range));
  for (auto& a : angles) a.theta_deg *= options.sign;
  note_repeated_angles(angles);
  return angles;
}

std::vector<EulerAngles> without_excluded(const std::vector<EulerAngles>& angles,
                                          const std::vector<std::size_t>& exclude) {
  for (std::size_t i : exclude)
    if (!angles.empty() && i >= angles.size())
      throw InputError("tilts.exclude", "projection " + std::to_string(i),
                       "numbers from 0 to " + std::to_string(angles.size() - 1));
  std::vector<EulerAngles> kept;
  for (std::size_t i = 0; i < angles.size(); ++i)
    if (std::find(exclude.begin(), exclude.end(), i) == exclude.end()) kept.push_back(angles[i]);
  if (!angles.empty() && kept.empty())
    throw InputError("tilts.exclude", "every projection is excluded", "at least one that stays");
  return kept;
}

}  // namespace aetos::pipeline
