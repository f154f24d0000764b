#pragma once

#include <cstddef>

namespace aetos {

/// Floats in a vector register of the processor that this is built for. GCC keeps longer vectors in memory
/// and takes their comparisons apart into single numbers, which made everything ten times slower.
#if defined(__AVX512F__)
inline constexpr std::size_t kVectorFloats = 16;
#elif defined(__AVX__)
inline constexpr std::size_t kVectorFloats = 8;
#else
inline constexpr std::size_t kVectorFloats = 4;
#endif

/// How many such registers there are to compute in.
inline constexpr std::size_t kVectorRegisters = kVectorFloats == 16 ? 32 : 16;

}  // namespace aetos
