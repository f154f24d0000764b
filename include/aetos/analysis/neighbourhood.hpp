#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/geometry.hpp"

namespace aetos::analysis {

/// The neighbours of every atom: strictly nearer than the cutoff, itself left out, nearest first; open
/// boundaries, no weights.
struct Neighbourhood {
  double cutoff_A = 0;
  std::vector<std::vector<atoms::Neighbour>> of;

  std::size_t size() const { return of.size(); }
  std::size_t coordination(std::size_t atom) const { return of[atom].size(); }
  /// Mean distance to the neighbours in Å; none without neighbours.
  std::optional<double> mean_bond_length(std::size_t atom) const;
};

/// A cutoff of 0 gives atoms without neighbours.
Neighbourhood neighbourhood(std::span<const Vec3> points, double cutoff_A);

/// Bond-orientational order of every atom, averaged over its neighbours and itself (Lechner and Dellago,
/// J. Chem. Phys. 129 (2008) 114707, eqs. 5-6). `order` is the length of (q4, q6) over that of perfect FCC
/// with 12 neighbours, (0.190941, 0.574524); it has no upper bound of 1. All 0 for an atom without
/// neighbours.
struct BondOrder {
  std::vector<double> q4, q6, order;
};
BondOrder bond_order(std::span<const Vec3> points, const Neighbourhood& neighbours);

/// Which atoms are crystalline: order of 0.5 or more.
std::vector<bool> crystalline(const BondOrder& order);
/// The same after the published clean-up (Yuan et al., Nature Materials 21 (2022) 95; order above 0.5): a
/// crystalline atom with fewer than 12 other crystalline ones within 8 Å is set aside, all judged at once;
/// one that has at least two of the rest within 8 Å is taken back, once.
std::vector<bool> crystalline_without_isolated(std::span<const Vec3> points, const BondOrder& order);

}  // namespace aetos::analysis
