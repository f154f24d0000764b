#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "aetos/atoms/build_options.hpp"
#include "aetos/core/options.hpp"

namespace aetos::atoms {

/// Where the file's coordinates have their rotation centre.
enum class Origin { file, cell_centre, centroid };
/// What an occupancy below one means: a site filled or empty once per specimen, or a weaker potential.
enum class Occupancy { random, mean };

/// A value for every species, or one each by element symbol.
using PerElement = std::variant<double, std::map<std::string, double>>;

/// Thermal motion. B, the displacement and `configurations` are alternatives; giving two is an error. Without
/// any of them a column of the atoms counts: `debye_waller_B_A2`, `rms_displacement_A` or `U_A2`.
struct ThermalOptions {
  std::optional<PerElement> debye_waller_B_A2;   ///< B = 8 pi² <u²>, Å²
  std::optional<PerElement> rms_displacement_A;  ///< per axis, Å
  Auto<int> frozen_phonons;    ///< configurations averaged at every tilt; auto = 1, or every snapshot
  std::string configurations;  ///< multi-frame extxyz used instead; empty = Einstein model
};

/// Either `file` or `build` gives the atoms.
struct SpecimenOptions {
  std::string file;  ///< extxyz, XYZ or Prismatic's XYZ
  std::optional<BuildOptions> build;
  std::optional<FilmOptions> film;
  Origin origin = Origin::file;
  Occupancy occupancy = Occupancy::random;
  ThermalOptions thermal;
};

}  // namespace aetos::atoms
