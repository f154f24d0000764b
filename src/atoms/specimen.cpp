#include "aetos/atoms/specimen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "aetos/atoms/measures.hpp"
#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"

namespace aetos::atoms {
namespace {

constexpr double kCloseAtoms_A = 0.5;
constexpr std::size_t kPairsNamed = 5;

/// Whether all positions lie within 0..L on every axis, as files with the cell's corner as origin have them.
bool looks_like_cell_corner(const Structure& structure) {
  if (structure.size() < 2) return false;
  const Vec3 centre = centroid(structure);
  for (const auto& r : structure.position)
    if ((r.array() < -1e-6).any()) return false;
  return centre.norm() > 1;
}

std::string pair_words(const NeighbourPair& pair) {
  return pair.distance_A < 1e-3
             ? fmt::format("{} and {} (one place)", pair.first + 1, pair.second + 1)
             : fmt::format("{} and {} ({:.2f} Å)", pair.first + 1, pair.second + 1, pair.distance_A);
}

std::vector<double> occupancy_column(const Structure& structure) {
  const auto column = structure.columns.find("occupancy");
  if (column == structure.columns.end()) return std::vector<double>(structure.size(), 1.0);
  if (const auto* real = std::get_if<std::vector<double>>(&column->second.values)) return *real;
  if (const auto* whole = std::get_if<std::vector<std::int64_t>>(&column->second.values))
    return {whole->begin(), whole->end()};
  throw InputError("specimen.file", "a column `occupancy` that is not numeric", "numbers from 0 to 1");
}

}  // namespace

void place_origin(Structure& structure, Origin origin, const std::string& place) {
  Vec3 centre = Vec3::Zero();
  if (origin == Origin::centroid) centre = centroid(structure);
  if (origin == Origin::cell_centre) {
    if (!structure.cell)
      throw InputError(place, "specimen.origin is cell_centre, but the file has no cell",
                       "a Lattice, or origin: file or centroid");
    centre = structure.cell->vectors.colwise().sum().transpose() / 2;
  }
  for (auto& r : structure.position) r -= centre;
}

std::vector<std::string> specimen_warnings(const Structure& structure, Origin origin) {
  std::vector<std::string> warnings;
  if (origin == Origin::file && looks_like_cell_corner(structure))
    warnings.push_back(
        fmt::format("all atoms have positive coordinates and their centroid is {:.1f} Å from the rotation "
                    "centre: if the file's "
                    "origin is the corner of a cell, set specimen.origin to cell_centre or centroid",
                    centroid(structure).norm()));
  const auto close = pairs_within(structure.position, kCloseAtoms_A);
  if (!close.empty()) {
    std::string list;
    for (std::size_t i = 0; i < std::min(close.size(), kPairsNamed); ++i)
      list += (i ? ", " : "") + pair_words(close[i]);
    if (close.size() > kPairsNamed) list += fmt::format(" and {} more pairs", close.size() - kPairsNamed);
    warnings.push_back(fmt::format("atoms nearer to each other than {} Å: {}", kCloseAtoms_A, list));
  }
  return warnings;
}

FilledSites filled_sites(const Structure& structure, Occupancy occupancy, std::uint64_t seed) {
  const auto share = occupancy_column(structure);
  FilledSites sites;
  for (std::size_t i = 0; i < structure.size(); ++i) {
    const int z = structure.atomic_number[i];
    if (z < 1 || z > 103)
      throw InputError("specimen.file", fmt::format("atom {} has no element (atomic number {})", i + 1, z),
                       "elements from H (1) to Lr (103)");
    if (!(share[i] >= 0 && share[i] <= 1))
      throw InputError("specimen.file", fmt::format("atom {} has occupancy {}", i + 1, share[i]),
                       "a number from 0 to 1");
    const bool is_random = occupancy == Occupancy::random;
    const bool filled = share[i] >= 1 || (is_random ? random::uniform4(seed, random::Domain::occupancy,
                                                                       {0, 0, i})[0] < share[i]
                                                    : share[i] > 0);
    if (!filled) continue;
    sites.atom.push_back(i);
    sites.weight.push_back(is_random ? 1.0f : static_cast<float>(share[i]));
  }
  return sites;
}

}  // namespace aetos::atoms
