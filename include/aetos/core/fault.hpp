#pragma once

/// Places where the tests of recovery make a run fail on purpose.
namespace aetos::fault {

/// Does nothing, unless this build has fault points (CMake: AETOS_FAULT_POINTS, on where tests are built) and
/// the environment names this one: AETOS_FAULT=NAME[,ACTION[,NTH[,RANK]]]. ACTION is kill (SIGKILL to this
/// process, the default), throw (an exception), memory (std::bad_alloc), disk (a ResourceError as of a full
/// disk) or slow (half a second is lost, each time); it happens the NTH time this process comes here (default
/// 1), on one RANK of Open MPI alone if given.
void point(const char* name);

}  // namespace aetos::fault
