#include "aetos/tomography/total_variation.hpp"

#include <cmath>

namespace aetos::tomography {
namespace {

/// Differences of a part to the next voxels, also one row and one plane before it.
class Differences {
 public:
  Differences(const VolumePart& part, double epsilon)
      : part_(part), nz_(part.u.extent(0)), nx_(part.u.extent(1)), epsilon2_(epsilon * epsilon) {}

  struct Term {
    double dz = 0, dx = 0, dy = 0, length = 0;
  };
  /// Of row y, -1 for the one before the part.
  Term at(std::size_t z, std::size_t x, std::ptrdiff_t y) const {
    const double here = value(z, x, y);
    Term t;
    if (z + 1 < nz_) t.dz = value(z + 1, x, y) - here;
    if (x + 1 < nx_) t.dx = value(z, x + 1, y) - here;
    if (y + 1 < static_cast<std::ptrdiff_t>(part_.rows) || !part_.after.empty())
      t.dy = value(z, x, y + 1) - here;
    t.length = std::sqrt(t.dz * t.dz + t.dx * t.dx + t.dy * t.dy + epsilon2_);
    return t;
  }

 private:
  double value(std::size_t z, std::size_t x, std::ptrdiff_t y) const {
    if (y < 0) return part_.before[z * nx_ + x];
    if (y >= static_cast<std::ptrdiff_t>(part_.rows)) return part_.after[z * nx_ + x];
    return part_.u(z, x, static_cast<std::size_t>(y));
  }
  const VolumePart& part_;
  std::size_t nz_, nx_;
  double epsilon2_;
};

}  // namespace

std::vector<double> add_total_variation(const VolumePart& part, double weight, double epsilon, bool by_plane,
                                        double* gradient) {
  const std::size_t nx = part.u.extent(1), rows = part.rows, planes = part.last_plane - part.first_plane;
  std::vector<double> sums(by_plane ? planes : rows, 0.0);
  if (rows == 0 || planes == 0) return sums;
  const Differences differences(part, epsilon);
  const auto at = [&](std::size_t z, std::size_t x, std::size_t y) -> double& {
    return gradient[((z - part.first_plane) * nx + x) * rows + y];
  };
  const auto holds = [&](std::size_t z) { return z >= part.first_plane && z < part.last_plane; };
  const std::size_t start = part.first_plane > 0 ? part.first_plane - 1 : 0;
  const std::ptrdiff_t before = part.before.empty() ? 0 : -1;
  for (std::size_t z = start; z < part.last_plane; ++z)
    for (std::size_t x = 0; x < nx; ++x)
      for (std::ptrdiff_t y = before; y < static_cast<std::ptrdiff_t>(rows); ++y) {
        const auto t = differences.at(z, x, y);
        const double w = weight / t.length;
        const auto row = static_cast<std::size_t>(y);
        if (y >= 0 && holds(z)) {
          sums[by_plane ? z - part.first_plane : row] += weight * (t.length - epsilon);
          at(z, x, row) -= w * (t.dz + t.dx + t.dy);
          if (x + 1 < nx) at(z, x + 1, row) += w * t.dx;
        }
        if (y >= 0 && z + 1 < part.u.extent(0) && holds(z + 1)) at(z + 1, x, row) += w * t.dz;
        if (holds(z) && y + 1 < static_cast<std::ptrdiff_t>(rows))
          at(z, x, static_cast<std::size_t>(y + 1)) += w * t.dy;
      }
  return sums;
}

}  // namespace aetos::tomography
