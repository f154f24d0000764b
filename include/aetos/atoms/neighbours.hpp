#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "aetos/core/geometry.hpp"

/// Neighbour search among points in free space (no periodic images), by a k-d tree (nanoflann). Answers come
/// in a fixed order: by distance, then by index, so that nothing downstream depends on how the tree was
/// built.
namespace aetos::atoms {

struct Neighbour {
  std::size_t index = 0;
  double distance_A = 0;
  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

/// Two points nearer to each other than a radius; first < second.
struct NeighbourPair {
  std::size_t first = 0, second = 0;
  double distance_A = 0;
  friend bool operator==(const NeighbourPair&, const NeighbourPair&) = default;
};

class NeighbourSearch {
 public:
  /// Copies the points. None is fine: every search then finds nothing.
  explicit NeighbourSearch(std::span<const Vec3> points);
  ~NeighbourSearch();
  NeighbourSearch(NeighbourSearch&&) noexcept;
  NeighbourSearch& operator=(NeighbourSearch&&) noexcept;

  std::size_t size() const;
  /// All points within `radius_A` (inclusive) of `place`, nearest first; a point at `place` itself is among
  /// them.
  std::vector<Neighbour> within(const Vec3& place, double radius_A) const;
  /// The `count` points nearest to `place` (fewer if there are not so many), nearest first.
  std::vector<Neighbour> nearest(const Vec3& place, std::size_t count) const;
  /// The point nearest to `place`, the one of lowest index among equally near ones; none without points.
  std::optional<Neighbour> nearest(const Vec3& place) const;
  /// Neighbours of point i within `radius_A`, itself left out, nearest first.
  std::vector<Neighbour> neighbours_of(std::size_t i, double radius_A) const;
  /// Every pair within `radius_A`, ordered by (first, second).
  std::vector<NeighbourPair> pairs(double radius_A) const;

 private:
  struct Tree;
  std::unique_ptr<Tree> tree_;
};

/// Every pair of `points` within `radius_A`, ordered by (first, second).
std::vector<NeighbourPair> pairs_within(std::span<const Vec3> points, double radius_A);

}  // namespace aetos::atoms
