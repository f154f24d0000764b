#pragma once

#include <nanoflann.hpp>

#include <cstddef>
#include <limits>
#include <vector>

#include "aetos/core/geometry.hpp"

namespace aetos::analysis {

/// Nearest-point queries on a fixed list of points (a k-d tree). The points must outlive it.
class PointIndex {
 public:
  explicit PointIndex(const std::vector<Vec3>& points) : cloud_{points}, tree_(3, cloud_) {}

  struct Nearest {
    std::size_t index = 0;
    double distance_A = std::numeric_limits<double>::infinity();
  };
  /// Infinite distance if there are no points.
  Nearest nearest(const Vec3& query) const {
    if (cloud_.points.empty()) return {};
    std::size_t index = 0;
    double squared = std::numeric_limits<double>::infinity();
    tree_.knnSearch(query.data(), 1, &index, &squared);
    return {index, std::sqrt(squared)};
  }

 private:
  struct Cloud {
    const std::vector<Vec3>& points;
    std::size_t kdtree_get_point_count() const { return points.size(); }
    double kdtree_get_pt(std::size_t i, std::size_t axis) const {
      return points[i](static_cast<Eigen::Index>(axis));
    }
    template <class Box>
    bool kdtree_get_bbox(Box&) const {
      return false;
    }
  };
  using Tree =
      nanoflann::KDTreeSingleIndexAdaptor<nanoflann::L2_Simple_Adaptor<double, Cloud>, Cloud, 3, std::size_t>;
  Cloud cloud_;
  Tree tree_;
};

}  // namespace aetos::analysis
