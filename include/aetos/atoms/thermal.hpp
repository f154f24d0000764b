#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aetos/atoms/options.hpp"
#include "aetos/core/structure.hpp"

/// Frozen phonons after the Einstein model: every atom moves on its own, Gaussian along each axis, with
/// <u²> = B / (8 pi²) per axis (Loane, Xu and Silcox, Acta Cryst. A 47 (1991) 267).
namespace aetos::atoms {

struct ThermalModel {
  std::vector<double> rms_A;       ///< per atom, along one axis
  std::size_t configurations = 1;  ///< displaced copies averaged at every tilt
  std::vector<std::string> warnings;

  double largest_rms_A() const;
  /// Displacement of atom `atom` of a structure, in specimen axes (Å), before any rotation. Key: (seed; tilt,
  /// configuration, atom).
  Vec3 displacement(std::uint64_t seed, std::size_t tilt, std::size_t configuration, std::size_t atom) const;
};

/// Resolves the options for the species of a structure. Throws InputError if both B and the rms displacement
/// are given, if a map lacks an element, or for a negative value or a number of configurations below 1. No
/// motion with several configurations: a warning, and one configuration.
ThermalModel thermal_model(const Structure& structure, const ThermalOptions& options);

/// "0.0616 Å rms per axis (Zr)": what a config's thermal motion means, for the log.
std::string describe(const ThermalModel& model, const Structure& structure);

}  // namespace aetos::atoms
