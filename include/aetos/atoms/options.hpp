#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "aetos/core/options.hpp"

namespace aetos::atoms {

/// Where the file's coordinates have their rotation centre.
enum class Origin { file, cell_centre, centroid };
/// What an occupancy below one means: a site filled or empty once per specimen, or a weaker potential.
enum class Occupancy { random, mean };

/// A value for every species, or one each by element symbol.
using PerElement = std::variant<double, std::map<std::string, double>>;

/// Thermal motion (Einstein model). B and the displacement are alternatives; giving both is an error.
struct ThermalOptions {
  std::optional<PerElement> debye_waller_B_A2;   ///< B = 8 pi² <u²>, Å²
  std::optional<PerElement> rms_displacement_A;  ///< per axis, Å
  int frozen_phonons = 1;                        ///< displaced configurations averaged at every tilt
  std::string configurations;                    ///< multi-frame extxyz used instead; empty = Einstein model
};

struct SpecimenOptions {
  std::string file;  ///< extxyz, XYZ or Prismatic's XYZ
  Origin origin = Origin::file;
  Occupancy occupancy = Occupancy::random;
  ThermalOptions thermal;
};

}  // namespace aetos::atoms
