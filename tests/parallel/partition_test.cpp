#include "aetos/parallel/partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

namespace aetos {
namespace {

TEST(BlockPartition, CoversEverythingOnceInOrder) {
  for (std::size_t n : {0u, 1u, 3u, 7u, 16u, 17u, 255905u})
    for (std::size_t parts : {1u, 2u, 3u, 4u, 16u}) {
      std::size_t next = 0, shortest = n + 1, longest = 0;
      for (std::size_t p = 0; p < parts; ++p) {
        const Range r = block_partition(n, parts, p);
        EXPECT_EQ(r.begin, next);
        EXPECT_LE(p > 0 ? r.size() : 0, p > 0 ? block_partition(n, parts, p - 1).size() : 0)
            << "longer ones first";
        next = r.end;
        shortest = std::min(shortest, r.size());
        longest = std::max(longest, r.size());
      }
      EXPECT_EQ(next, n);
      EXPECT_LE(longest - shortest, 1u);
    }
}

TEST(BlockPartition, CountsBeyond32Bits) {
  const std::size_t n = (std::size_t{1} << 40) + 3;
  EXPECT_EQ(block_partition(n, 4, 0).size(), (std::size_t{1} << 38) + 1);
  EXPECT_EQ(block_partition(n, 4, 3).end, n);
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(block_partition(most, 7, 6).end, most);
}

TEST(BlockPartition, PartsOutsideAreRefused) {
  EXPECT_THROW(block_partition(5, 0, 0), std::invalid_argument);
  EXPECT_THROW(block_partition(5, 2, 2), std::invalid_argument);
}

std::multiset<std::size_t> joined(const std::vector<std::vector<std::size_t>>& parts) {
  std::multiset<std::size_t> all;
  for (const auto& part : parts) {
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    all.insert(part.begin(), part.end());
  }
  return all;
}

TEST(WeightedPartition, DealsLongestFirst) {
  const std::vector<double> cost{1, 5, 2, 4, 3};
  const auto parts = weighted_partition(cost, 2);
  // 5 to 0, 4 to 1, 3 to 1, 2 to 0, then 7 against 7: the lower index.
  EXPECT_EQ(parts[0], (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(parts[1], (std::vector<std::size_t>{3, 4}));
}

TEST(WeightedPartition, EachItemOnceAndWithinGrahamsBound) {
  // Longest-first list scheduling is at most 4/3 of the best possible (Graham 1969).
  std::vector<double> cost;
  for (int i = 0; i < 500; ++i) cost.push_back(1 + 50 * std::abs(std::sin(i * 1.7)));
  const double total = std::accumulate(cost.begin(), cost.end(), 0.0);
  for (std::size_t n : {1u, 2u, 3u, 7u, 64u}) {
    const auto parts = weighted_partition(cost, n);
    const auto all = joined(parts);
    EXPECT_EQ(all.size(), cost.size());
    EXPECT_EQ(std::set<std::size_t>(all.begin(), all.end()).size(), cost.size());
    const double bound = 4.0 / 3 * std::max(total / static_cast<double>(n), 51.0);
    for (const auto& part : parts) {
      double load = 0;
      for (std::size_t i : part) load += cost[i];
      EXPECT_LE(load, bound);
    }
  }
}

TEST(WeightedPartition, MoreRanksThanWork) {
  const auto parts = weighted_partition(std::vector<double>{2, 1}, 4);
  EXPECT_EQ(parts[0], std::vector<std::size_t>{0});
  EXPECT_EQ(parts[1], std::vector<std::size_t>{1});
  EXPECT_TRUE(parts[2].empty());
  EXPECT_TRUE(parts[3].empty());
}

TEST(WeightedPartition, ItemsWithoutCostAreSpreadToo) {
  const auto parts = weighted_partition(std::vector<double>(8, 0.0), 4);
  for (const auto& part : parts) EXPECT_EQ(part.size(), 2u);
  const double nan = std::nan("");
  const auto odd = weighted_partition(std::vector<double>{nan, 1, -3, nan}, 2);
  EXPECT_EQ(joined(odd).size(), 4u);
}

}  // namespace
}  // namespace aetos
