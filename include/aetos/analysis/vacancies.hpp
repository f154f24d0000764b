#pragma once

#include <span>
#include <vector>

#include "aetos/analysis/phases.hpp"
#include "aetos/analysis/triangulation.hpp"

namespace aetos::analysis {

struct Vacancy {
  Vec3 place = Vec3::Zero();
  Phase phase = Phase::other;  ///< of the atoms about it
  std::size_t neighbours = 0;  ///< atoms of its shell
  std::size_t pairs = 0;       ///< of those, pairs that face each other across it
};

/// Empty sites of the lattice, by ascending x, y, z. Candidates are the circumcentres of Delaunay tetrahedra
/// whose radius is about the phase's bond length d (0.8 to 1.2 d). One is a vacancy if no atom is nearer than
/// 0.75 d; if its shell (to 1.25 d) holds at least 10 atoms of the same crystalline phase; and if these agree
/// with the lattice, which has every site as a centre of symmetry: at least 4 pairs of them are each other's
/// mirror image in it to 0.3 d. Its place is the mean of the pairs' middles. Candidates nearer to each other
/// than 0.5 d are one.
std::vector<Vacancy> vacancies(std::span<const Vec3> points, const Triangulation& triangulation,
                               std::span<const Phase> phases);

}  // namespace aetos::analysis
