#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>

#include "aetos/core/array.hpp"
#include "aetos/core/fft.hpp"

namespace aetos {
namespace {

TEST(Array, LastIndexRunsFastest) {
  Array<int, 3> a({2, 3, 4});
  std::iota(a.begin(), a.end(), 0);
  EXPECT_EQ(a(1, 2, 3), 23);
  EXPECT_EQ(a(1, 0, 2), 14);
  EXPECT_EQ(a[1](0, 2), 14);
  EXPECT_EQ(a[1][2](3), 23);
}

TEST(Array, StartsAtZeroAndAligned) {
  for (std::size_t n : {1u, 7u, 1000u}) {
    const Array<double, 1> a({n});
    for (double v : a) EXPECT_EQ(v, 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % 64, 0u);
  }
}

TEST(Array, EmptyShapesHoldNothing) {
  const Array<float, 3> a({5, 0, 7});
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(a.begin(), a.end());
  EXPECT_TRUE(a.clone().empty());
  EXPECT_TRUE((Array<float, 2>{}.empty()));
}

TEST(Array, MovesLeaveAnEmptyArrayAndClonesAreDeep) {
  Array<int, 2> a({2, 2});
  a(1, 1) = 7;
  Array<int, 2> copy = a.clone();
  Array<int, 2> moved = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): the state after a move is what is tested
  moved(1, 1) = 8;
  EXPECT_EQ(copy(1, 1), 7);
  EXPECT_EQ(moved(1, 1), 8);
}

TEST(Array, ViewsSeeTheSameData) {
  Array<float, 2> a({3, 2});
  const View<float, 2> view = a;
  view(2, 1) = 4;
  const View<const float, 2> reading = view;
  EXPECT_EQ(reading(2, 1), 4);
  EXPECT_EQ(a.flat()[5], 4);
}

TEST(Array, SizesThatNoMachineHasAreRefused) {
  const std::size_t huge = std::numeric_limits<std::size_t>::max() / 4;
  EXPECT_THROW((Array<double, 1>({huge})), std::bad_alloc);
  // The product is 2^64, which wraps to nothing.
  const std::size_t wraps = std::size_t{1} << 32;
  EXPECT_THROW((Array<float, 2>({wraps, wraps})), std::bad_alloc);
  EXPECT_TRUE((Array<float, 3>({wraps, 0, wraps}).empty()));
}

TEST(Array, CountsBeyond32Bits) {
  // 200 projections of 4096 x 4096.
  EXPECT_EQ(element_count(Shape<3>{200, 4096, 4096}), 3355443200u);
}

TEST(FastSize, IsSmoothAndAMultiple) {
  EXPECT_EQ(fft::fast_size(1), 2u);
  EXPECT_EQ(fft::fast_size(128), 128u);
  EXPECT_EQ(fft::fast_size(127), 128u);
  EXPECT_EQ(fft::fast_size(129), 144u);  // 135 is odd
  EXPECT_EQ(fft::fast_size(129, 1), 135u);
  EXPECT_EQ(fft::fast_size(257, 4), 288u);
  for (std::size_t n = 1; n < 600; ++n) {
    std::size_t m = fft::fast_size(n);
    EXPECT_GE(m, n);
    EXPECT_EQ(m % 2, 0u);
    EXPECT_LE(m, 2 * n);
    for (std::size_t p : {2, 3, 5})
      while (m % p == 0) m /= p;
    EXPECT_EQ(m, 1u);
  }
}

TEST(Frequency, FollowsTheOrderOfAnFft) {
  EXPECT_EQ(fft::frequency(0, 8), 0);
  EXPECT_EQ(fft::frequency(3, 8), 3);
  EXPECT_EQ(fft::frequency(4, 8), -4);
  EXPECT_EQ(fft::frequency(7, 8), -1);
  EXPECT_EQ(fft::frequency(3, 7), 3);
  EXPECT_EQ(fft::frequency(4, 7), -3);
  EXPECT_EQ(fft::frequency(0, 1), 0);
}

}  // namespace
}  // namespace aetos
