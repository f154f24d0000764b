#pragma once

namespace aetos::tracing {

/// PETSc is up while one of these lives. The first one initialises it, for this process alone
/// (PETSC_COMM_WORLD is MPI_COMM_SELF), with its signal handler and its user's options off: a signal must end
/// the run in AETOS's order. PETSc cannot be initialised twice (its TAO types are gone then), so it stays up
/// until MPI_Finalize takes it down.
class PetscSession {
 public:
  PetscSession();
};

}  // namespace aetos::tracing
