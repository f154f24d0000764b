#include "aetos/atoms/film.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <type_traits>

#include "aetos/atoms/build.hpp"
#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"

namespace aetos::atoms {
namespace {

constexpr std::uint32_t kPart = 9;         ///< of the builder's random numbers
constexpr double kSteepest_deg = 80;       ///< an endless film at 90 degrees would need an endless width
constexpr std::uint64_t kProbes = 200000;  ///< of the volume that a particle leaves

SolidOptions solid_of(const FilmOptions& options) {
  SolidOptions solid;
  solid.structure = Lattice::amorphous;
  if (options.material == FilmMaterial::carbon) {
    solid.elements = {"C"};
    solid.density_g_cm3 = options.density_g_cm3.value_or(2.0);
    solid.min_distance_A = 1.4;
  } else {
    solid.elements = {"Si", "N"};
    solid.composition = {3, 4};
    solid.density_g_cm3 = options.density_g_cm3.value_or(3.0);
    solid.min_distance_A = 1.6;
  }
  return solid;
}

/// z of the two faces.
std::pair<double, double> faces(const Structure& particle, const FilmOptions& options) {
  double low = 0, high = 0;
  for (std::size_t i = 0; i < particle.size(); ++i) {
    low = i ? std::min(low, particle.position[i].z()) : particle.position[i].z();
    high = i ? std::max(high, particle.position[i].z()) : particle.position[i].z();
  }
  switch (options.position) {
    case FilmPosition::under:
      return {high + options.gap_A, high + options.gap_A + options.thickness_A};
    case FilmPosition::above:
      return {low - options.gap_A - options.thickness_A, low - options.gap_A};
    case FilmPosition::around:
      break;
  }
  return {-options.thickness_A / 2, options.thickness_A / 2};
}

/// Half the width along x (0) or y (1) that covers the field at every tilt.
double half_width(int axis, double half_field_A, double farthest_z, std::span<const EulerAngles> tilts) {
  double half = half_field_A;
  for (const auto& t : tilts) {
    // A series about y widens along x alone; any other rotation may turn the film either way.
    if (axis == 1 && t.phi_deg == 0 && t.psi_deg == 0) continue;
    const double tilt = std::acos(std::min(1.0, std::abs(rotation_matrix(t)(2, 2))));
    const double angle = std::min(tilt, radians(kSteepest_deg));
    half = std::max(half, (half_field_A + farthest_z * std::sin(angle)) / std::cos(angle));
  }
  return half;
}

Vec3 half_sides(const Structure& particle, const FilmOptions& options, double half_field_A, double farthest_z,
                std::span<const EulerAngles> tilts) {
  Vec3 half = Vec3::Zero();
  for (int axis : {0, 1}) {
    const auto k = static_cast<std::size_t>(axis);
    if (options.width_A)
      half[axis] = (*options.width_A)[1 - k] / 2;
    else if (particle.cell && particle.cell->periodic[k])
      half[axis] = particle.cell->vectors(axis, axis) / 2;
    else
      half[axis] = half_width(axis, half_field_A, farthest_z, tilts);
  }
  return half;
}

/// The share of a region's box that lies inside, from random places.
double share_inside(const Region& region, std::uint64_t seed) {
  std::uint64_t inside = 0;
  for (std::uint64_t i = 0; i < kProbes; ++i) {
    const auto u = random::uniform4(seed, random::Domain::builder, {kPart, 3, i});
    inside += region.inside(region.low + (region.high - region.low).cwiseProduct(Vec3(u[0], u[1], u[2])));
  }
  return static_cast<double>(inside) / static_cast<double>(kProbes);
}

Region region_of(const Structure& particle, const FilmOptions& options, double half_field_A,
                 std::uint64_t seed, std::span<const EulerAngles> tilts) {
  const auto [top, bottom] = faces(particle, options);
  Vec3 low = -half_sides(particle, options, half_field_A, std::max(std::abs(top), std::abs(bottom)), tilts);
  Vec3 high = -low;
  low.z() = top;
  high.z() = bottom;
  Region region{[](const Vec3&) { return true; }, low, high, (high - low).prod()};
  if (options.position != FilmPosition::around) return region;
  const auto search = std::make_shared<NeighbourSearch>(particle.position);
  region.inside = [search, clearance = options.clearance_A](const Vec3& r) {
    const auto nearest = search->nearest(r);
    return !nearest || nearest->distance_A >= clearance;
  };
  region.volume_A3 *= share_inside(region, seed);
  return region;
}

void extend_columns(Structure& s, std::size_t particle) {
  for (auto& [name, column] : s.columns)
    std::visit(
        [&, &key = name, width = column.width](auto& values) {
          using Value = typename std::decay_t<decltype(values)>::value_type;
          Value standard{};
          if constexpr (std::is_arithmetic_v<Value>)
            if (key == "occupancy") standard = 1;
          values.resize(s.size() * width, standard);
        },
        column.values);
  std::vector<std::uint8_t> film(s.size(), 1);
  std::fill_n(film.begin(), particle, std::uint8_t{0});
  s.columns["film"] = {film, 1};
}

}  // namespace

void add_film(Structure& specimen, const FilmOptions& options, std::uint64_t seed, double half_field_A,
              std::span<const EulerAngles> tilts) {
  if (!(options.thickness_A > 0))
    throw InputError("specimen.film", "no 'thickness_A'", "the thickness of the film in Å");
  const std::size_t particle = specimen.size();
  const std::uint64_t drawn = options.seed.value_or(seed);
  const Region region = region_of(specimen, options, half_field_A, drawn, tilts);
  fill_amorphous(solid_of(options), "specimen.film", region, drawn, kPart, specimen);
  extend_columns(specimen, particle);
}

std::vector<bool> film_atoms(const Structure& structure) {
  std::vector<bool> film(structure.size());
  const auto column = structure.columns.find("film");
  if (column == structure.columns.end()) return film;
  if (const auto* marks = std::get_if<std::vector<std::uint8_t>>(&column->second.values))
    for (std::size_t i = 0; i < film.size(); ++i) film[i] = (*marks)[i] != 0;
  return film;
}

Structure without_film(const Structure& structure) {
  const auto film = film_atoms(structure);
  const auto particle = static_cast<std::size_t>(std::find(film.begin(), film.end(), true) - film.begin());
  if (particle == structure.size()) return structure;
  Structure alone = structure;
  alone.position.resize(particle);
  alone.atomic_number.resize(particle);
  for (auto& [name, column] : alone.columns)
    std::visit([&, width = column.width](auto& values) { values.resize(particle * width); }, column.values);
  alone.columns.erase("film");
  return alone;
}

}  // namespace aetos::atoms
