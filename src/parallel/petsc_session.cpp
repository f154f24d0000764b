#include "aetos/parallel/petsc_session.hpp"

#include <fmt/format.h>
#include <mpi.h>
#include <petscsys.h>

#include <string>

#include "aetos/core/error.hpp"

namespace aetos {
namespace {

int finalize_petsc(MPI_Comm, int, void*, void*) {
  PetscFinalize();
  return MPI_SUCCESS;
}

/// MPI_Finalize deletes the attributes of MPI_COMM_SELF before anything else (MPI 2.2, section 8.7.1).
void finalize_with_mpi() {
  int key = MPI_KEYVAL_INVALID;
  MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, finalize_petsc, &key, nullptr);
  MPI_Comm_set_attr(MPI_COMM_SELF, key, nullptr);
  MPI_Comm_free_keyval(&key);
}

void initialise_once() {
  PetscBool up = PETSC_FALSE;
  PetscInitialized(&up);
  if (up) return;
  PETSC_COMM_WORLD = MPI_COMM_SELF;
  std::string program = "aetos", no_handler = "-no_signal_handler", no_file = "-skip_petscrc";
  char* list[] = {program.data(), no_handler.data(), no_file.data(), nullptr};
  int count = 3;
  char** arguments = list;
  if (PetscInitialize(&count, &arguments, nullptr, nullptr) != 0)
    throw ResourceError("PETSc could not be initialised");
  finalize_with_mpi();
}

}  // namespace

PetscSession::PetscSession() {
  initialise_once();
  PetscPushErrorHandler(PetscReturnErrorHandler, nullptr);
}

PetscSession::~PetscSession() {
  PetscPopErrorHandler();
}

void check_petsc(int code) {
  if (code == 0) return;
  const char* text = nullptr;
  PetscErrorMessage(static_cast<PetscErrorCode>(code), &text, nullptr);
  throw ResourceError("PETSc failed: " + (text ? std::string(text) : fmt::format("error {}", code)));
}

}  // namespace aetos
