#pragma once

namespace aetos {

/// PETSc is up while one of these lives. The first one initialises it, for this process alone
/// (PETSC_COMM_WORLD is MPI_COMM_SELF; vectors over more ranks name their communicator), with its signal
/// handler and its user's options off: a signal must end the run in AETOS's order. PETSc cannot be
/// initialised twice (its TAO types are gone then), so it stays up until MPI_Finalize takes it down. While
/// the object lives PETSc reports errors by code instead of printing.
class PetscSession {
 public:
  PetscSession();
  ~PetscSession();
  PetscSession(const PetscSession&) = delete;
  PetscSession& operator=(const PetscSession&) = delete;
};

/// Throws ResourceError with PETSc's words unless `code` is success.
void check_petsc(int code);

}  // namespace aetos
