#include "aetos/atoms/neighbours.hpp"

#include <gtest/gtest.h>

#include "aetos/core/random.hpp"

namespace aetos::atoms {
namespace {

std::vector<Vec3> scattered(std::size_t n, double side) {
  std::vector<Vec3> points;
  for (std::size_t i = 0; i < n; ++i) {
    const auto u = random::uniform4(3, random::Domain::test, {0, 0, i});
    points.push_back(side * Vec3(u[0], u[1], u[2]));
  }
  return points;
}

TEST(Neighbours, PairsEqualBruteForce) {
  const auto points = scattered(300, 10);
  std::vector<NeighbourPair> expected;
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t j = i + 1; j < points.size(); ++j)
      if (const double d = (points[i] - points[j]).norm(); d <= 1.7) expected.push_back({i, j, d});
  const auto found = pairs_within(points, 1.7);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t k = 0; k < found.size(); ++k) {
    EXPECT_EQ(found[k].first, expected[k].first);
    EXPECT_EQ(found[k].second, expected[k].second);
    EXPECT_NEAR(found[k].distance_A, expected[k].distance_A, 1e-12);
  }
}

TEST(Neighbours, EquallyNearPointsComeByIndex) {
  // The six neighbours of a lattice point are equally near: the lowest indices win, whatever the tree does.
  std::vector<Vec3> lattice;
  for (int z = 0; z < 5; ++z)
    for (int y = 0; y < 5; ++y)
      for (int x = 0; x < 5; ++x) lattice.emplace_back(x, y, z);
  const NeighbourSearch search(lattice);
  const auto around = search.neighbours_of(62, 1.0);
  ASSERT_EQ(around.size(), 6u);
  const std::size_t expected[] = {37, 57, 61, 63, 67, 87};
  for (std::size_t k = 0; k < 6; ++k) EXPECT_EQ(around[k].index, expected[k]);
  const auto nearest = search.nearest(Vec3(2.5, 2, 2));
  ASSERT_TRUE(nearest);
  EXPECT_EQ(nearest->index, 62u);
  EXPECT_EQ(search.nearest(Vec3(2, 2, 2), 3).size(), 3u);
  EXPECT_EQ(search.nearest(Vec3(2, 2, 2), 3)[1].index, 37u);
}

TEST(Neighbours, EdgeCases) {
  EXPECT_TRUE(NeighbourSearch({}).within(Vec3::Zero(), 5).empty());
  EXPECT_FALSE(NeighbourSearch({}).nearest(Vec3::Zero()));
  EXPECT_TRUE(pairs_within({}, 1).empty());
  const std::vector<Vec3> twice{Vec3(1, 1, 1), Vec3(1, 1, 1)};
  const auto same = pairs_within(twice, 0.5);
  ASSERT_EQ(same.size(), 1u);
  EXPECT_EQ(same[0].distance_A, 0);
  EXPECT_EQ(NeighbourSearch(twice).nearest(Vec3::Zero(), 10).size(), 2u);
  EXPECT_EQ(NeighbourSearch(twice).within(Vec3(1, 1, 1), 0).size(), 2u);
}

}  // namespace
}  // namespace aetos::atoms
