#pragma once

#include <petscsys.h>

#include "aetos/parallel/petsc_session.hpp"

namespace aetos {

/// Owns one of PETSc's objects. Filled by PETSc's function that makes it: `VecCreateSeq(..., handle.out())`.
template <class Handle, PetscErrorCode (*Destroy)(Handle*)>
class PetscHandle {
 public:
  PetscHandle() = default;
  ~PetscHandle() { Destroy(&handle_); }
  PetscHandle(const PetscHandle&) = delete;
  PetscHandle& operator=(const PetscHandle&) = delete;
  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};

}  // namespace aetos
