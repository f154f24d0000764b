#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aetos/core/options.hpp"

/// Specimens that are made rather than read: what the section `specimen.build` says.
namespace aetos::atoms {

/// Where the atoms of a solid lie: on a cubic lattice, on that of a file's cell, or at random.
enum class Lattice { sc, bcc, fcc, diamond, zincblende, rocksalt, fluorite, file, amorphous };

/// A solid and how it is turned. The crystal's direction `zone_axis` points along z (the beam at zero tilt),
/// `x_axis` as near to x as it can; `euler_deg` turns it further.
struct SolidOptions {
  Lattice structure = Lattice::fcc;
  std::vector<std::string> elements;  ///< one, or two where the lattice has two kinds of sites
  Auto<double> a_A;                   ///< cubic lattice constant
  std::string file;                   ///< cell with a Lattice, for `file`
  std::array<double, 3> zone_axis{0, 0, 1};
  Auto<std::array<double, 3>> x_axis;  ///< auto: the cell's axis most nearly normal to zone_axis
  std::array<double, 3> euler_deg{0, 0, 0};
  bool random_orientation = false;  ///< drawn from the seed instead
  Auto<double> density_g_cm3;       ///< amorphous
  std::vector<double> composition;  ///< amorphous: shares of the elements; empty = equal
  double min_distance_A = 1.5;      ///< amorphous: no two atoms nearer
};

enum class BuildKind { slab, particle, core_shell, bicrystal, fill_oxygen };

/// Share of the tetrahedral sites of each phase that hold an oxygen; the defaults are the paper's degrees of
/// oxidation.
struct OxygenShares {
  double metal = 0.29, crystalline_oxide = 0.82, amorphous_oxide = 0.78, other = 0;
};

struct BuildOptions {
  BuildKind kind = BuildKind::slab;
  Auto<std::uint64_t> seed;                      ///< auto = the config's
  std::optional<SolidOptions> crystal;           ///< slab, particle, side x < 0 of a bicrystal
  std::optional<SolidOptions> core, shell;       ///< core-shell
  std::optional<SolidOptions> second;            ///< side x > 0 of a bicrystal; none = as the first
  Auto<double> thickness_A;                      ///< slab, along z
  std::optional<std::array<double, 2>> width_A;  ///< slab: (y, x)
  bool periodic = false;                         ///< slab: whole periods that repeat in x and y
  Auto<double> radius_A;                         ///< particle, core-shell, bicrystal
  Auto<double> core_radius_A;
  std::array<double, 3> core_centre_A{0, 0, 0};  ///< (x, y, z)
  double clearance_A = 1.8;            ///< of two parts: an atom of the second that is nearer is left out
  double bend_deg = 0, twist_deg = 0;  ///< bicrystal: of the second side about y, then about x
  double disorder_A = 0;               ///< static displacement, rms per axis
  std::string file;                    ///< fill-oxygen: the model to fill
  OxygenShares occupancy;              ///< fill-oxygen
};

enum class FilmMaterial { carbon, silicon_nitride };
enum class FilmPosition { under, above, around };

/// An amorphous film normal to z that carries or embeds the particle.
struct FilmOptions {
  FilmMaterial material = FilmMaterial::carbon;
  double thickness_A = 0;
  Auto<double> density_g_cm3;  ///< auto = 2.0 for carbon, 3.0 for silicon nitride (Si3N4)
  FilmPosition position = FilmPosition::under;
  double gap_A = 2;        ///< between the particle's last atom and an under or above film's face
  double clearance_A = 3;  ///< around: no film atom is nearer to one of the particle
  Auto<std::array<double, 2>> width_A;  ///< (y, x); auto = the field at every tilt
  Auto<std::uint64_t> seed;             ///< auto = the config's
};

}  // namespace aetos::atoms
