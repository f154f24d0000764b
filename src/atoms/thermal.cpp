#include "aetos/atoms/thermal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"

namespace aetos::atoms {
namespace {

double value_for(const PerElement& values, std::uint8_t z, const std::string& key) {
  double value = 0;
  if (const auto* one = std::get_if<double>(&values)) {
    value = *one;
  } else {
    const auto& by_symbol = std::get<std::map<std::string, double>>(values);
    const auto entry = by_symbol.find(element_symbol(z));
    if (entry == by_symbol.end())
      throw InputError(key, "no value for " + element_symbol(z), "a value for every element of the specimen");
    value = entry->second;
  }
  if (!(value >= 0) || !std::isfinite(value))
    throw InputError(key, fmt::format("{} for {}", value, element_symbol(z)), "a number of at least 0");
  return value;
}

}  // namespace

double ThermalModel::largest_rms_A() const {
  return rms_A.empty() ? 0 : *std::max_element(rms_A.begin(), rms_A.end());
}

Vec3 ThermalModel::displacement(std::uint64_t seed, std::size_t tilt, std::size_t configuration,
                                std::size_t atom) const {
  if (rms_A[atom] == 0) return Vec3::Zero();
  const auto n =
      random::normal4(seed, random::Domain::thermal_displacement,
                      {static_cast<std::uint32_t>(tilt), static_cast<std::uint32_t>(configuration), atom});
  return rms_A[atom] * Vec3(n[0], n[1], n[2]);
}

ThermalModel thermal_model(const Structure& structure, const ThermalOptions& options) {
  const std::string b_key = "specimen.thermal.debye_waller_B_A2",
                    u_key = "specimen.thermal.rms_displacement_A";
  if (options.debye_waller_B_A2 && options.rms_displacement_A)
    throw InputError("specimen.thermal", "both debye_waller_B_A2 and rms_displacement_A", "one of them");
  if (options.frozen_phonons < 1)
    throw InputError("specimen.thermal.frozen_phonons", std::to_string(options.frozen_phonons), "1 or more");

  std::map<std::uint8_t, double> rms_by_element;
  for (std::uint8_t z : structure.atomic_number) {
    if (rms_by_element.count(z)) continue;
    double rms = 0;
    if (options.debye_waller_B_A2)
      rms = std::sqrt(mean_square_displacement_A2(value_for(*options.debye_waller_B_A2, z, b_key)));
    if (options.rms_displacement_A) rms = value_for(*options.rms_displacement_A, z, u_key);
    rms_by_element[z] = rms;
  }

  ThermalModel model;
  model.configurations = static_cast<std::size_t>(options.frozen_phonons);
  model.rms_A.reserve(structure.size());
  for (std::uint8_t z : structure.atomic_number) model.rms_A.push_back(rms_by_element[z]);
  if (model.configurations > 1 && model.largest_rms_A() == 0) {
    model.warnings.push_back(
        fmt::format("specimen.thermal.frozen_phonons is {}, but no atom moves (no debye_waller_B_A2 or "
                    "rms_displacement_A above 0): all would be alike, one configuration is computed",
                    model.configurations));
    model.configurations = 1;
  }
  return model;
}

std::string describe(const ThermalModel& model, const Structure& structure) {
  if (model.largest_rms_A() == 0) return "static atoms";
  std::map<std::string, double> rms;
  for (std::size_t i = 0; i < structure.size(); ++i)
    rms[element_symbol(structure.atomic_number[i])] = model.rms_A[i];
  std::string list;
  for (const auto& [symbol, u] : rms) list += fmt::format("{}{} {:.4f}", list.empty() ? "" : ", ", symbol, u);
  return fmt::format("thermal displacement, Å rms per axis: {}", list);
}

}  // namespace aetos::atoms
