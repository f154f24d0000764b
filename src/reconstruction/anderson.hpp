#pragma once

#include <cmath>
#include <numeric>
#include <vector>

namespace aetos::reconstruction {

/// Anderson's acceleration (J. ACM 12, 547 (1965)) of a sequence x <- g(x): of the last steps g(x) - x the
/// combination that would have been smallest. Errors that each turn lessens only a little die out in a few.
class Anderson {
 public:
  using Point = std::vector<double>;

  /// The point to go on from, after a turn that led from x to gx.
  Point next(const Point& x, const Point& gx) {
    steps.push_back(difference(gx, x));
    results.push_back(gx);
    if (steps.size() > kMemory + 1) {
      steps.erase(steps.begin());
      results.erase(results.begin());
    }
    const Point weights = smallest_combination();
    Point best = gx;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const Point change = difference(results[k + 1], results[k]);
      for (std::size_t i = 0; i < best.size(); ++i) best[i] -= weights[k] * change[i];
    }
    return best;
  }

  std::vector<Point> steps,
      results;  ///< of the last turns, the oldest first: all that the next one depends on

 private:
  static constexpr std::size_t kMemory = 4;

  static Point difference(const Point& a, const Point& b) {
    Point d(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
    return d;
  }
  static double dot(const Point& a, const Point& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  }

  /// Weights w that make the last step, less w times the changes of the steps, least: modified Gram-Schmidt.
  Point smallest_combination() const {
    const std::size_t n = steps.size() - 1;
    std::vector<Point> basis, triangle(n, Point(n, 0.0));
    Point projected(n, 0.0), weights(n, 0.0);
    for (std::size_t k = 0; k < n; ++k) {
      Point v = difference(steps[k + 1], steps[k]);
      for (std::size_t j = 0; j < k; ++j) {
        triangle[j][k] = dot(basis[j], v);
        for (std::size_t i = 0; i < v.size(); ++i) v[i] -= triangle[j][k] * basis[j][i];
      }
      triangle[k][k] = std::sqrt(dot(v, v));
      for (double& value : v) value = triangle[k][k] > 0 ? value / triangle[k][k] : 0;
      projected[k] = dot(v, steps.back());
      basis.push_back(std::move(v));
    }
    for (std::size_t k = n; k-- > 0;) {
      double sum = projected[k];
      for (std::size_t j = k + 1; j < n; ++j) sum -= triangle[k][j] * weights[j];
      weights[k] = triangle[k][k] > 0 ? sum / triangle[k][k] : 0;
    }
    return weights;
  }
};

}  // namespace aetos::reconstruction
