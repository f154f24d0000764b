#pragma once

#include <map>
#include <string>

#include "aetos/core/structure.hpp"

namespace aetos::atoms {

Vec3 centroid(const Structure& structure);
/// Largest distance of an atom from the origin, 0 without atoms.
double outer_radius(const Structure& structure);
/// How many atoms there are of each species, by symbol.
std::map<std::string, std::size_t> count_by_species(const Structure& structure);

}  // namespace aetos::atoms
