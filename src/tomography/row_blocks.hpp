#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "aetos/core/geometry.hpp"
#include "aetos/core/vector_width.hpp"
#include "aetos/tomography/projector.hpp"

/// What the kernels of a plain tilt series share. Both gather: a row is summed up in registers and written
/// once, since a store costs as much as two loads.
namespace aetos::tomography {

inline constexpr std::size_t kTile = 16;  ///< voxels of a tile along z and along x
/// Vectors of a row held in registers at once: half of those that there are, or 64 voxels.
inline constexpr std::size_t kWideVectors = std::min(kVectorRegisters / 2, 64 / kVectorFloats);
static_assert(kRowBlock % kVectorFloats == 0 && kWideVectors * kVectorFloats % kRowBlock == 0);

/// Neighbouring voxels of a row.
typedef float Vector __attribute__((vector_size(kVectorFloats * sizeof(float))));

inline float hat(float distance) {
  return std::max(0.0F, 1 - std::abs(distance));
}

/// Share of a voxel that a pixel gets at this distance: the mean of four sub-samples, which lie at +-near and
/// +-far of the voxel's own place.
inline float sub_sampled_share(float d, float near, float far) {
  return (hat(d - near) + hat(d + near) + hat(d - far) + hat(d + far)) / 4;
}

inline double centred(std::size_t i, std::size_t n) {
  return static_cast<double>(i) - static_cast<double>(centre_index(n));
}

/// Calls work(offset, std::integral_constant<vectors>) for all of a row, most of it in wide pieces.
template <class Work>
void for_each_piece(std::size_t rows, const Work& work) {
  constexpr std::size_t wide = kWideVectors * kVectorFloats;
  std::size_t y = 0;
  for (; y + wide <= rows; y += wide) work(y, std::integral_constant<std::size_t, kWideVectors>{});
  for (; y < rows; y += kRowBlock) work(y, std::integral_constant<std::size_t, kRowBlock / kVectorFloats>{});
}

}  // namespace aetos::tomography
