#pragma once

#include <vector>

#include "aetos/core/structure.hpp"

namespace aetos::test {

inline Structure zirconium_at(const std::vector<Vec3>& places) {
  Structure s;
  s.position = places;
  s.atomic_number.assign(places.size(), 40);
  return s;
}

}  // namespace aetos::test
