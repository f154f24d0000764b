#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "aetos/atoms/build_options.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/structure.hpp"

/// Makes specimens from a description and a seed: the same atoms in the same order everywhere.
namespace aetos::atoms {

/// Reads a structure file; kernels read none themselves.
using StructureReader = std::function<Structure(const std::string& file)>;

/// A slab, particle, core-shell particle or bicrystal about the origin, with the column `part` (core, shell;
/// 1, 2) where it has two. fill-oxygen starts from a model's phases: analysis/fill_oxygen.hpp. Throws
/// InputError with the key that is missing or does not fit.
Structure build_specimen(const BuildOptions& options, std::uint64_t seed, const StructureReader& read);

/// A crystal without ends, turned as its options say.
struct Crystal {
  Mat3 cell = Mat3::Zero();  ///< rows: the cell's vectors in specimen axes, Å
  std::vector<Vec3> place;   ///< of each atom of the cell from its corner, Å
  std::vector<std::uint8_t> atomic_number;
};
/// `key` ("specimen.build.crystal") is for messages; `part` tells the random orientations of one specimen
/// apart. Throws InputError for a description that lacks something, and for an amorphous solid.
Crystal make_crystal(const SolidOptions& options, const std::string& key, std::uint64_t seed,
                     std::uint32_t part, const StructureReader& read);
/// Appends the atoms that lie inside; `reach_A` bounds their distance from `origin`, a corner of a cell.
void fill_crystal(const Crystal& crystal, const Vec3& origin, double reach_A,
                  const std::function<bool(const Vec3&)>& inside, Structure& out);

/// A region of space for random packing.
struct Region {
  std::function<bool(const Vec3&)> inside;
  Vec3 low = Vec3::Zero(), high = Vec3::Zero();  ///< a box around it
  double volume_A3 = 0;
};
/// `count` places in a region, none nearer than `min_distance_A` to another or to a fixed one: random
/// sequential addition (Widom 1966), and, where that cannot pack densely enough, places drawn nearer and then
/// pushed apart, which leaves some pairs a little short. Throws InputError (place `key`) where even that is
/// too dense.
std::vector<Vec3> pack_at_random(const Region& region, std::size_t count, double min_distance_A,
                                 std::span<const Vec3> fixed, std::uint64_t seed, std::uint32_t part,
                                 const std::string& key);
/// Appends an amorphous solid of the options' density and composition that fills the region; the atoms
/// already in `out` are fixed.
void fill_amorphous(const SolidOptions& options, const std::string& key, const Region& region,
                    std::uint64_t seed, std::uint32_t part, Structure& out);

/// Standard atomic weight, g/mol. Throws InputError for an element without one here (heavier than U).
double atomic_weight(std::uint8_t atomic_number);

}  // namespace aetos::atoms
