#pragma once

#include <cstddef>
#include <cstring>

/// Sixteen independent transforms side by side: a vector of 16 floats is one element of each. GCC and Clang
/// turn the arithmetic into whatever vector instructions the target has.
namespace aetos::multislice {

inline constexpr std::size_t kLanes = 16;
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

/// Transposes 16 x 16 values: four rounds of interleaving vector i with vector i + 8.
[[gnu::always_inline]] inline void transpose(Lane (&v)[kLanes]) {
  for (int round = 0; round < 4; ++round) {
    Lane w[kLanes];
    for (std::size_t i = 0; i < kLanes / 2; ++i) {
      w[2 * i] =
          __builtin_shufflevector(v[i], v[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      w[2 * i + 1] = __builtin_shufflevector(v[i], v[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14,
                                             30, 15, 31);
    }
    for (std::size_t i = 0; i < kLanes; ++i) v[i] = w[i];
  }
}

}  // namespace aetos::multislice
