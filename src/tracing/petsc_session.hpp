#pragma once

#include <mpi.h>

namespace aetos::tracing {

/// PETSc while this object lives: initialised on the given communicator unless it is already, with its own
/// signal handler and user options off (a signal must end the run in AETOS's order). MPI must be up.
class PetscSession {
 public:
  explicit PetscSession(MPI_Comm comm);
  ~PetscSession();
  PetscSession(const PetscSession&) = delete;
  PetscSession& operator=(const PetscSession&) = delete;

 private:
  bool ours_ = false;
};

}  // namespace aetos::tracing
