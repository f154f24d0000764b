#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "aetos/atoms/options.hpp"
#include "aetos/core/structure.hpp"

/// Frozen phonons. Einstein model: every atom moves on its own, Gaussian along each axis, with <u²> = B / (8
/// pi²) per axis (Loane, Xu and Silcox, Acta Cryst. A 47 (1991) 267), or with the tensor U that the atom has.
/// Or the snapshots of a molecular-dynamics run, whose atoms move together.
namespace aetos::atoms {

/// Displacements of every atom (Å, specimen axes) in one snapshot.
using Snapshot = std::vector<Vec3>;

struct ThermalModel {
  std::vector<double> rms_A;       ///< per atom, along one axis (the mean over the axes of a tensor)
  std::size_t configurations = 1;  ///< displaced copies averaged at every tilt
  std::vector<Mat3> factor;  ///< per atom, L with U = L L^T; empty where motion is the same along all axes
  std::span<const Snapshot> snapshots;  ///< the caller's; empty in the Einstein model
  std::string source;                   ///< "the column u_a2"; empty where the config says it
  std::vector<std::string> warnings;

  double largest_rms_A() const;
  /// Displacement of atom `atom` of a structure, in specimen axes (Å), before any rotation. Key: (seed; tilt,
  /// configuration, atom). Snapshots are taken in turn over tilts and configurations; atoms beyond those of
  /// the snapshots (a film's) stay at rest.
  Vec3 displacement(std::uint64_t seed, std::size_t tilt, std::size_t configuration, std::size_t atom) const;
};

/// Resolves the options for the atoms of a structure. Without B and rms displacement a column of the
/// structure is used: `debye_waller_b_a2`, `rms_displacement_a`, or `u_a2` with 1 (<u²>), 6 (U11 U22 U33 U12
/// U13 U23) or 9 numbers, in Å² along the specimen's axes. Throws InputError if two descriptions are given,
/// if a map lacks an element, for a negative value, a U that is no positive tensor, or a number of
/// configurations below 1 or above that of the snapshots. No motion with several configurations: a warning,
/// and one configuration.
ThermalModel thermal_model(const Structure& structure, const ThermalOptions& options,
                           std::span<const Snapshot> snapshots = {});

/// Displacements of each frame of `file` from the positions of a structure; along the periods of its cell the
/// nearest image counts. Throws InputError with the line of a frame that has another number of atoms, other
/// species or places that are not finite.
std::vector<Snapshot> snapshots_of(const Structure& structure, std::span<const Structure> frames,
                                   const std::string& file);

/// "0.0616 Å rms per axis (Zr)": what a config's thermal motion means, for the log.
std::string describe(const ThermalModel& model, const Structure& structure);

}  // namespace aetos::atoms
