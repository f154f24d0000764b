#pragma once

#include <cstdint>
#include <vector>

#include "butterflies.hpp"

/// In-place Fourier transforms of any length over ComplexLane elements, kLanes at a time, without planning or
/// permutation: one direction goes from natural to scrambled order (decimation in frequency), the way back
/// from scrambled to natural (decimation in time). A factor between the two costs no pass of its own over
/// memory.
namespace aetos::multislice {

class LaneFft {
 public:
  explicit LaneFft(std::size_t n);

  std::size_t size() const { return order_.size(); }
  /// Natural index of each element in scrambled order.
  const std::vector<std::uint32_t>& order() const { return order_; }

  /// sum over x of a(x) exp(Sign 2 pi i k x / n), k in scrambled order.
  template <int Sign>
  void to_scrambled(ComplexLane* a) const {
    for (const Stage& stage : stages_) run_stage<Sign, false>(stage, a);
  }
  /// The transform of a(k) in scrambled order; the result is in natural order.
  template <int Sign>
  void from_scrambled(ComplexLane* a) const {
    for (std::size_t s = stages_.size(); s-- > 0;) run_stage<Sign, true>(stages_[s], a);
  }
  /// to_scrambled<Sign>, then element(i) *= factor(i) for each scrambled index i, then from_scrambled<-Sign>.
  template <int Sign, class Factor>
  void filter(ComplexLane* a, const Factor& factor) const {
    for (std::size_t s = 0; s + 1 < stages_.size(); ++s) run_stage<Sign, false>(stages_[s], a);
    run_middle<Sign>(stages_.back(), a, factor);
    for (std::size_t s = stages_.size() - 1; s-- > 0;) run_stage<-Sign, true>(stages_[s], a);
  }

 private:
  /// Blocks of radix x length elements. Twiddle factors exp(-2 pi i j p / (radix length)) by (j, p = 1..radix
  /// - 1).
  struct Stage {
    std::size_t radix, blocks, length;
    std::vector<float> twiddles;
    std::vector<float> roots;  ///< exp(-2 pi i p / radix), for radices without a butterfly
  };

  template <int Sign, bool InTime>
  void run_stage(const Stage& stage, ComplexLane* a) const {
    switch (stage.radix) {
      case 2:
        return run_radix<2, Sign, InTime>(stage, a);
      case 3:
        return run_radix<3, Sign, InTime>(stage, a);
      case 4:
        return run_radix<4, Sign, InTime>(stage, a);
      case 5:
        return run_radix<5, Sign, InTime>(stage, a);
      case 8:
        return run_radix<8, Sign, InTime>(stage, a);
      default:
        return run_prime<Sign, InTime>(stage, a);
    }
  }

  template <int R, int Sign, bool InTime>
  static void run_radix(const Stage& stage, ComplexLane* a) {
    const std::size_t length = stage.length;
    for (std::size_t j = 0; j < length; ++j) {
      const float* w = stage.twiddles.data() + 2 * (R - 1) * j;
      for (std::size_t b = 0; b < stage.blocks; ++b) {
        ComplexLane* at = a + b * R * length + j;
        ComplexLane x[R];
        for (int p = 0; p < R; ++p) x[p] = at[p * length];
        if constexpr (InTime)
          for (int p = 1; p < R; ++p) x[p] = rotate<-Sign>(x[p], w[2 * p - 2], w[2 * p - 1]);
        Butterfly<R, Sign>::run(x);
        if constexpr (!InTime)
          for (int p = 1; p < R; ++p) x[p] = rotate<-Sign>(x[p], w[2 * p - 2], w[2 * p - 1]);
        for (int p = 0; p < R; ++p) at[p * length] = x[p];
      }
    }
  }

  template <int Sign, class Factor>
  void run_middle(const Stage& stage, ComplexLane* a, const Factor& factor) const {
    switch (stage.radix) {
      case 2:
        return run_middle_radix<2, Sign>(stage, a, factor);
      case 3:
        return run_middle_radix<3, Sign>(stage, a, factor);
      case 4:
        return run_middle_radix<4, Sign>(stage, a, factor);
      case 5:
        return run_middle_radix<5, Sign>(stage, a, factor);
      case 8:
        return run_middle_radix<8, Sign>(stage, a, factor);
      default:
        run_prime<Sign, false>(stage, a);
        for (std::size_t i = 0; i < size(); ++i) a[i] = factor(i, a[i]);
        run_prime<-Sign, true>(stage, a);
    }
  }

  /// The last stage there and the first one back work on the same neighbouring elements.
  template <int R, int Sign, class Factor>
  static void run_middle_radix(const Stage& stage, ComplexLane* a, const Factor& factor) {
    for (std::size_t b = 0; b < stage.blocks; ++b) {
      ComplexLane x[R];
      for (int p = 0; p < R; ++p) x[p] = a[b * R + p];
      Butterfly<R, Sign>::run(x);
      for (int p = 0; p < R; ++p) x[p] = factor(b * R + p, x[p]);
      Butterfly<R, -Sign>::run(x);
      for (int p = 0; p < R; ++p) a[b * R + p] = x[p];
    }
  }

  template <int Sign, bool InTime>
  void run_prime(const Stage& stage, ComplexLane* a) const;

  std::vector<Stage> stages_;
  std::vector<std::uint32_t> order_;
};

template <int Sign, bool InTime>
void LaneFft::run_prime(const Stage& stage, ComplexLane* a) const {
  const std::size_t radix = stage.radix, length = stage.length;
  std::vector<ComplexLane> x(radix);
  const auto twiddled = [&](const ComplexLane& value, std::size_t j, std::size_t p) {
    if (p == 0) return value;
    const float* w = stage.twiddles.data() + 2 * ((radix - 1) * j + p - 1);
    return rotate<-Sign>(value, w[0], w[1]);
  };
  for (std::size_t b = 0; b < stage.blocks; ++b)
    for (std::size_t j = 0; j < length; ++j) {
      ComplexLane* at = a + b * radix * length + j;
      for (std::size_t p = 0; p < radix; ++p) x[p] = InTime ? twiddled(at[p * length], j, p) : at[p * length];
      for (std::size_t q = 0; q < radix; ++q) {
        ComplexLane sum = x[0];
        for (std::size_t p = 1; p < radix; ++p) {
          const float* root = stage.roots.data() + 2 * (p * q % radix);
          sum = sum + rotate<-Sign>(x[p], root[0], root[1]);
        }
        at[q * length] = InTime ? sum : twiddled(sum, j, q);
      }
    }
}

}  // namespace aetos::multislice
