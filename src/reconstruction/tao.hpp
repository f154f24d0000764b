#pragma once

#include <array>
#include <cstddef>

namespace aetos::reconstruction {

/// Iterations that TAO makes in one go. Its history cannot be saved: each block starts from the volume alone,
/// so a run that goes on from a checkpoint between blocks is the run that was not interrupted.
inline constexpr int kTaoBlock = 10;

/// Doubles that TAO's solvers hold for each voxel: solution, gradient, bounds and their history.
inline constexpr int kTaoDoubles = 24;

/// Throws InputError if PETSc's integers cannot count the voxels.
void refuse_too_many_unknowns(const std::array<std::size_t, 3>& volume_px);

}  // namespace aetos::reconstruction
