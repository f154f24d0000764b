#include <mpi.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "aetos/cli/commands.hpp"
#include "aetos/core/program_memory.hpp"
#include "aetos/parallel/communicator.hpp"

int main(int argc, char** argv) {
  aetos::return_large_blocks();
  // Open MPI 4.1's OMPIO returns wrong values from collective reads of uneven selections unless this is set before
  // MPI_Init (docs/reliability.md); a user's own setting is left alone.
  setenv("OMPI_MCA_fbtl_posix_read_datasieving", "0", 0);
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int code = 1;
  {
    const aetos::Communicator world(MPI_COMM_WORLD);
    code = aetos::cli::dispatch(std::vector<std::string>(argv + 1, argv + argc), world);
  }
  MPI_Finalize();
  return code;
}
