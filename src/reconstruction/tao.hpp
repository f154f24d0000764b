#pragma once

#include <array>
#include <cstddef>

namespace aetos::reconstruction {

/// Iterations that PETSc's solvers make in one go. Their history cannot be saved: each block starts from the
/// volume alone, so a run that goes on from a checkpoint between blocks is the run that was not interrupted.
inline constexpr int kPetscBlock = 10;

/// Throws InputError if PETSc's integers cannot count the voxels.
void refuse_too_many_unknowns(const std::array<std::size_t, 3>& volume_px);

}  // namespace aetos::reconstruction
