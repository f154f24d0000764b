#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Which species an atom is, by how bright it is.
namespace aetos::tracing {

struct Classes {
  std::vector<std::size_t> of;  ///< per atom: 0 the dimmest class (the lightest species)
  std::vector<double> centres;  ///< mean intensity of each class, ascending
  bool told_apart = true;       ///< false where the classes overlap or atoms are too few
};

/// k-means in one dimension with k-means++ seeding (Arthur and Vassilvitskii 2007) from the seed, best of
/// eight starts. With fewer atoms than classes, or equal intensities, all are of the brightest class and
/// `told_apart` is false; so it is where two neighbouring classes lie nearer than twice the sum of their
/// standard deviations.
Classes classify(std::span<const double> intensity, std::size_t classes, std::uint64_t seed);

}  // namespace aetos::tracing
