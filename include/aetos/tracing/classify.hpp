#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "aetos/core/geometry.hpp"

/// Which species an atom is, by how bright it is.
namespace aetos::tracing {

struct Classes {
  std::vector<std::size_t> of;      ///< per atom: 0 the dimmest class (the lightest species)
  std::vector<double> centres;      ///< mean intensity of each class, ascending
  std::vector<double> probability;  ///< per atom: of its class
  bool told_apart = true;           ///< false where the classes overlap or atoms are too few
};

/// k-means in one dimension with k-means++ seeding (Arthur and Vassilvitskii 2007) from the seed, best of
/// eight starts. With fewer atoms than classes, or equal intensities, all are of the brightest class and
/// `told_apart` is false; so it is where two neighbouring classes lie nearer than twice the sum of their
/// standard deviations.
Classes classify(std::span<const double> intensity, std::size_t classes, std::uint64_t seed);

/// The same, then compared with the atoms around, since intensities fall towards a particle's centre and its
/// missing wedge: in turns, each atom goes to the class whose mean within 10 Å (of five atoms at the class's
/// mean and those of the class that are there) is nearest to it, until none changes its class. Probabilities
/// are those of normal distributions about these means, as wide as the class scatters about them, weighed by
/// how many atoms it has.
Classes classify_locally(std::span<const Vec3> position, std::span<const double> intensity,
                         std::size_t classes, std::uint64_t seed);

}  // namespace aetos::tracing
