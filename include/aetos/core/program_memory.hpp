#pragma once

namespace aetos {

/// What a rank takes before it has any data: the program, its libraries and MPI (measured on Debian 12).
inline constexpr double kProgramBytes = 60.0 * 1048576;

/// What a stage takes beside that, over what it holds at once: the allocator keeps small blocks between
/// others.
inline constexpr double kKeptShare = 1.1;

/// Lets blocks of 4 MiB and more go back to the system as they are freed, and the end of the heap with them.
/// SuperLU_DIST, which Debian's PETSc brings along, turns both off as it is loaded, and glibc itself would
/// keep blocks of up to 32 MiB once it has seen a larger one.
void return_large_blocks();

/// Gives what was freed back to the system, which the allocator would keep between the blocks in use: after a
/// phase with memory of its own.
void return_freed_memory();

}  // namespace aetos
