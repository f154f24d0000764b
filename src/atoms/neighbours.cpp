#include "aetos/atoms/neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nanoflann.hpp>
#include <utility>

namespace aetos::atoms {
namespace {

/// The points as nanoflann wants to see them.
struct Cloud {
  std::vector<Vec3> points;
  std::size_t kdtree_get_point_count() const { return points.size(); }
  double kdtree_get_pt(std::size_t i, std::size_t axis) const {
    return points[i][static_cast<Eigen::Index>(axis)];
  }
  template <class Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

using Index =
    nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, Cloud>, Cloud, 3, std::size_t>;

void sort_nearest_first(std::vector<Neighbour>& found) {
  std::sort(found.begin(), found.end(), [](const Neighbour& a, const Neighbour& b) {
    return std::pair(a.distance_A, a.index) < std::pair(b.distance_A, b.index);
  });
}

}  // namespace

struct NeighbourSearch::Tree {
  explicit Tree(std::span<const Vec3> points)
      : cloud{{points.begin(), points.end()}},
        index(3, cloud, nanoflann::KDTreeSingleIndexAdaptorParams(16)) {}
  Cloud cloud;
  Index index;
};

NeighbourSearch::NeighbourSearch(std::span<const Vec3> points) : tree_(std::make_unique<Tree>(points)) {}
NeighbourSearch::~NeighbourSearch() = default;
NeighbourSearch::NeighbourSearch(NeighbourSearch&&) noexcept = default;
NeighbourSearch& NeighbourSearch::operator=(NeighbourSearch&&) noexcept = default;

std::size_t NeighbourSearch::size() const {
  return tree_->cloud.points.size();
}

std::vector<Neighbour> NeighbourSearch::within(const Vec3& place, double radius_A) const {
  std::vector<Neighbour> found;
  if (size() == 0 || !(radius_A >= 0)) return found;
  // The tree compares squares and leaves out the limit itself; ask for a hair more, then decide on distances.
  const double square = radius_A * radius_A * (1 + 1e-12) + std::numeric_limits<double>::min();
  std::vector<std::pair<std::size_t, double>> hits;
  nanoflann::SearchParams parameters;
  parameters.sorted = false;
  tree_->index.radiusSearch(place.data(), square, hits, parameters);
  for (const auto& [i, squared] : hits) {
    const double distance = (tree_->cloud.points[i] - place).norm();
    if (distance <= radius_A) found.push_back({i, distance});
  }
  sort_nearest_first(found);
  return found;
}

std::vector<Neighbour> NeighbourSearch::nearest(const Vec3& place, std::size_t count) const {
  count = std::min(count, size());
  if (count == 0) return {};
  std::vector<std::size_t> indices(count);
  std::vector<double> squares(count);
  tree_->index.knnSearch(place.data(), count, indices.data(), squares.data());
  // Which of several equally near points the tree returns last is its own affair: take all, keep the lowest
  // indices.
  auto found = within(place, std::sqrt(squares.back()) * (1 + 1e-12));
  if (found.size() > count) found.resize(count);
  return found;
}

std::optional<Neighbour> NeighbourSearch::nearest(const Vec3& place) const {
  const auto found = nearest(place, 1);
  if (found.empty()) return std::nullopt;
  return found.front();
}

std::vector<Neighbour> NeighbourSearch::neighbours_of(std::size_t i, double radius_A) const {
  auto found = within(tree_->cloud.points[i], radius_A);
  std::erase_if(found, [i](const Neighbour& n) { return n.index == i; });
  return found;
}

std::vector<NeighbourPair> NeighbourSearch::pairs(double radius_A) const {
  std::vector<NeighbourPair> found;
  for (std::size_t i = 0; i < size(); ++i) {
    auto around = within(tree_->cloud.points[i], radius_A);
    std::erase_if(around, [i](const Neighbour& n) { return n.index <= i; });
    std::sort(around.begin(), around.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    for (const auto& n : around) found.push_back({i, n.index, n.distance_A});
  }
  return found;
}

std::vector<NeighbourPair> pairs_within(std::span<const Vec3> points, double radius_A) {
  return NeighbourSearch(points).pairs(radius_A);
}

}  // namespace aetos::atoms
