#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aetos/atoms/options.hpp"
#include "aetos/core/structure.hpp"

/// From the atoms of a file to the specimen that is simulated: its origin, what is odd about it, and which
/// sites are filled.
namespace aetos::atoms {

/// Moves the atoms so that the rotation centre is where `origin` says: as in the file, the middle of its
/// cell, or the centroid of its atoms. `place` (the file's name) is for messages. Throws InputError for
/// cell_centre without a cell.
void place_origin(Structure& structure, Origin origin, const std::string& place);

/// What a careful colleague would point out: coordinates that look like a cell's corner was the origin, atoms
/// at one place or nearer than 0.5 Å (numbered from 1, as in the file). Empty if there is nothing to say.
std::vector<std::string> specimen_warnings(const Structure& structure, Origin origin);

/// The sites of a specimen that take part, with the share of each atom's potential.
struct FilledSites {
  std::vector<std::size_t> atom;  ///< indices into the structure, ascending
  std::vector<float> weight;      ///< 1, or the mean occupancy
};

/// Reads the column `occupancy` (1 without it). random: each site is filled or empty once for the whole
/// specimen, drawn with the key (seed, occupancy, atom). mean: all sites with some occupancy, weighted.
/// Throws InputError for a value outside 0..1 and for a site without an element, with the atom's number.
FilledSites filled_sites(const Structure& structure, Occupancy occupancy, std::uint64_t seed);

}  // namespace aetos::atoms
