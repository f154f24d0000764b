#pragma once

#include <string_view>

namespace aetos::reconstruction {

/// What one of PETSc's solvers asks of the problem and of memory.
struct PetscMethod {
  enum class Kind {
    gradient,  ///< TAO, from the gradient alone
    newton,    ///< TAO, with the misfit's Hessian P'P as products
    linear,    ///< KSP, least squares
  };
  std::string_view name;
  Kind kind;
  bool bounded;  ///< keeps the volume from being negative, and inside a support
  int doubles;   ///< that it holds for each voxel
};

/// The one of this name; none for methods that are not PETSc's.
const PetscMethod* petsc_method(std::string_view name);

}  // namespace aetos::reconstruction
