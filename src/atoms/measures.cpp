#include "aetos/atoms/measures.hpp"

#include <algorithm>

namespace aetos::atoms {

Vec3 centroid(const Structure& structure) {
  Vec3 sum = Vec3::Zero();
  for (const auto& r : structure.position) sum += r;
  return structure.size() == 0 ? sum : Vec3(sum / static_cast<double>(structure.size()));
}

double outer_radius(const Structure& structure) {
  double radius = 0;
  for (const auto& r : structure.position) radius = std::max(radius, r.norm());
  return radius;
}

std::map<std::string, std::size_t> count_by_species(const Structure& structure) {
  std::map<std::string, std::size_t> count;
  for (std::uint8_t z : structure.atomic_number) ++count[element_symbol(z)];
  return count;
}

}  // namespace aetos::atoms
