#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "aetos/analysis/phases.hpp"
#include "aetos/analysis/triangulation.hpp"

/// Degree of oxidation by two routes: from the volumes of tetrahedral sites, and from the oxygen in them.
namespace aetos::analysis {

/// Volumes of a tetrahedral site of Zr atoms: ideal FCC Zr and cubic ZrO2.
inline constexpr double kMetalSite_A3 = 3.87, kOxideSite_A3 = 5.50;

/// A place for an oxygen between four Zr atoms, with a value of 0 to 1.
struct OxygenSite {
  std::array<std::size_t, 4> atoms{};
  Vec3 place = Vec3::Zero();
  double value = 0;
};

/// Near-regular tetrahedra, each with (V - V_metal) / (V_oxide - V_metal), clamped to [0, 1].
std::vector<OxygenSite> sites_by_volume(std::span<const Vec3> points,
                                        std::span<const Tetrahedron> near_regular);

/// The sites with 1 where they hold an oxygen and 0 where not. In crystals they are the near-regular
/// tetrahedra (at least three corners in metal or c-ZrO2), full if an oxygen is nearer to the centroid
/// than 1.1 Å. In disordered regions tetrahedra overlap, so a full site is an oxygen there with its four
/// nearest Zr, and an empty one is where one more oxygen fits: a Delaunay tetrahedron with all corners 1.7
/// to 2.9 Å from its centroid, 2.2 Å or more from each oxygen and each other empty site, the most regular
/// first (by the spread of those distances).
std::vector<OxygenSite> sites_by_oxygen(std::span<const Vec3> points, const Triangulation& triangulation,
                                        std::span<const Tetrahedron> near_regular,
                                        std::span<const Phase> phases, std::span<const Vec3> oxygen);

/// Of each atom, the mean value of the sites that it is a corner of; none without a site.
std::vector<std::optional<double>> mean_over_sites(std::size_t atoms, std::span<const OxygenSite> sites);

}  // namespace aetos::analysis
