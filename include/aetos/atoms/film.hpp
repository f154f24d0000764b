#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "aetos/atoms/build_options.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/structure.hpp"

/// Amorphous films under, above or around a particle. Their atoms are marked by the logical column `film`.
namespace aetos::atoms {

/// Adds a film drawn from `seed` (its own where it has one). `half_field_A`: what the film covers at every
/// tilt, about the rotation axis, where its width is `auto`; tilts beyond 80 degrees count as 80. A periodic
/// cell is filled along its periods. Film atoms have occupancy 1, and 0 or an empty text in other columns.
/// Throws InputError for a film without thickness or too dense to pack.
void add_film(Structure& specimen, const FilmOptions& options, std::uint64_t seed, double half_field_A,
              std::span<const EulerAngles> tilts);

/// Which atoms belong to a film.
std::vector<bool> film_atoms(const Structure& structure);
/// The particle alone.
Structure without_film(const Structure& structure);

}  // namespace aetos::atoms
