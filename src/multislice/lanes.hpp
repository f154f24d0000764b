#pragma once

#include <cstddef>
#include <cstring>

#include "aetos/core/vector_width.hpp"

/// Independent transforms side by side: a vector of kLanes floats is one element of each. GCC and Clang turn
/// the arithmetic into the target's vector instructions.
namespace aetos::multislice {

inline constexpr std::size_t kLanes = kVectorFloats;
typedef float Lane __attribute__((vector_size(kLanes * sizeof(float))));

struct ComplexLane {
  Lane re, im;
};

[[gnu::always_inline]] inline ComplexLane operator+(const ComplexLane& a, const ComplexLane& b) {
  return {a.re + b.re, a.im + b.im};
}
[[gnu::always_inline]] inline ComplexLane operator-(const ComplexLane& a, const ComplexLane& b) {
  return {a.re - b.re, a.im - b.im};
}
[[gnu::always_inline]] inline ComplexLane operator*(const ComplexLane& a, float s) {
  return {a.re * s, a.im * s};
}
[[gnu::always_inline]] inline ComplexLane operator*(const ComplexLane& a, const ComplexLane& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
/// a (re + Sign i im).
template <int Sign>
[[gnu::always_inline]] inline ComplexLane rotate(const ComplexLane& a, float re, float im) {
  if constexpr (Sign > 0) return {a.re * re - a.im * im, a.re * im + a.im * re};
  return {a.re * re + a.im * im, a.im * re - a.re * im};
}
/// a times Sign i.
template <int Sign>
[[gnu::always_inline]] inline ComplexLane quarter(const ComplexLane& a) {
  if constexpr (Sign > 0) return {-a.im, a.re};
  return {a.im, -a.re};
}

[[gnu::always_inline]] inline void load(Lane& to, const float* from) {
  std::memcpy(&to, from, sizeof(Lane));
}

[[gnu::always_inline]] inline void store(float* to, const Lane& from) {
  // Not memcpy: where `from` has just been computed GCC would put it on the stack first, and read it back by
  // halves.
  typedef float Unaligned __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));
  *reinterpret_cast<Unaligned*>(to) = from;
}

/// The first halves of a and b, element by element in turn, and the second ones. A template, so that only the
/// case of the target's vectors is compiled.
template <class Vector>
[[gnu::always_inline]] inline void interleave(const Vector& a, const Vector& b, Vector& first,
                                              Vector& second) {
  constexpr std::size_t n = sizeof(Vector) / sizeof(float);
  static_assert(n == 16 || n == 8 || n == 4);
  if constexpr (n == 16) {
    first = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    second = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  } else if constexpr (n == 8) {
    first = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    second = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  } else {
    first = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    second = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  }
}

/// Transposes kLanes x kLanes values: each round interleaves vector i with vector i + kLanes / 2.
[[gnu::always_inline]] inline void transpose(Lane (&v)[kLanes]) {
  for (std::size_t round = 1; round < kLanes; round *= 2) {
    Lane w[kLanes];
    for (std::size_t i = 0; i < kLanes / 2; ++i) interleave(v[i], v[i + kLanes / 2], w[2 * i], w[2 * i + 1]);
    for (std::size_t i = 0; i < kLanes; ++i) v[i] = w[i];
  }
}

}  // namespace aetos::multislice
