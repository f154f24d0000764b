#include "petsc_method.hpp"

#include <algorithm>
#include <array>

namespace aetos::reconstruction {
namespace {

using Kind = PetscMethod::Kind;

constexpr std::array kPetscMethods{
    PetscMethod{"bncg", Kind::gradient, true, 24},   PetscMethod{"bqnls", Kind::gradient, true, 52},
    PetscMethod{"blmvm", Kind::gradient, true, 41},  PetscMethod{"bqnkls", Kind::gradient, true, 74},
    PetscMethod{"bqnktr", Kind::gradient, true, 76}, PetscMethod{"bqnktl", Kind::gradient, true, 76},
    PetscMethod{"bnls", Kind::newton, true, 40},     PetscMethod{"bntr", Kind::newton, true, 41},
    PetscMethod{"bntl", Kind::newton, true, 41},     PetscMethod{"tron", Kind::newton, true, 22},
    PetscMethod{"gpcg", Kind::newton, true, 22},     PetscMethod{"lmvm", Kind::gradient, false, 41},
    PetscMethod{"cg", Kind::gradient, false, 12},    PetscMethod{"nls", Kind::newton, false, 17},
    PetscMethod{"ntr", Kind::newton, false, 14},     PetscMethod{"ntl", Kind::newton, false, 15},
    PetscMethod{"cgls", Kind::linear, false, 7},     PetscMethod{"lsqr", Kind::linear, false, 9},
};

}  // namespace

const PetscMethod* petsc_method(std::string_view name) {
  const auto found =
      std::find_if(kPetscMethods.begin(), kPetscMethods.end(), [&](const auto& m) { return m.name == name; });
  return found == kPetscMethods.end() ? nullptr : found;
}

}  // namespace aetos::reconstruction
