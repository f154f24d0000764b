#pragma once

namespace aetos {

/// What a rank takes before it has any data: the program, its libraries and MPI (measured on Debian 12).
inline constexpr double kProgramBytes = 60.0 * 1048576;

/// Gives what was freed back to the system, which the allocator would keep between the blocks in use: after a
/// phase with memory of its own.
void return_freed_memory();

}  // namespace aetos
