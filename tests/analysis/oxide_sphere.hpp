#pragma once

#include "aetos/atoms/build.hpp"

namespace aetos::test {

/// Zirconium of c-ZrO2 in a sphere, without its oxygen.
inline Structure oxide_sphere(double radius_A) {
  atoms::BuildOptions o;
  o.kind = atoms::BuildKind::particle;
  o.crystal.emplace();
  o.crystal->elements = {"Zr"};
  o.crystal->a_A = 5.09;
  o.radius_A = radius_A;
  return atoms::build_specimen(o, 1, [](const std::string&) { return Structure(); });
}

}  // namespace aetos::test
