#include <algorithm>
#include <cmath>
#include <vector>

#include "aetos/core/geometry.hpp"
#include "aetos/core/units.hpp"
#include "aetos/multislice/detector.hpp"

namespace aetos::multislice {
namespace {

double cross(const Vec2& a, const Vec2& b) {
  return a.x() * b.y() - a.y() * b.x();
}

/// Signed area of the circular sector from direction a to b.
double arc_area(const Vec2& a, const Vec2& b, double radius) {
  return 0.5 * radius * radius * std::atan2(cross(a, b), a.dot(b));
}

/// Signed area of the triangle (origin, a, b) within a circle about the origin.
double triangle_in_disc(const Vec2& a, const Vec2& b, double radius) {
  const Vec2 along = b - a;
  const double length2 = along.squaredNorm(), middle = a.dot(along);
  if (length2 == 0) return 0;
  const double root = middle * middle - length2 * (a.squaredNorm() - radius * radius);
  if (root <= 0) return arc_area(a, b, radius);
  const double enters = (-middle - std::sqrt(root)) / length2, leaves = (-middle + std::sqrt(root)) / length2;
  if (enters >= 1 || leaves <= 0) return arc_area(a, b, radius);
  const Vec2 first = a + std::max(enters, 0.0) * along, last = a + std::min(leaves, 1.0) * along;
  double area = 0.5 * cross(first, last);
  if (enters > 0) area += arc_area(a, first, radius);
  if (leaves < 1) area += arc_area(last, b, radius);
  return area;
}

/// The part of a convex polygon on the left of a direction through the origin.
std::vector<Vec2> left_of(const std::vector<Vec2>& polygon, const Vec2& direction) {
  std::vector<Vec2> kept;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Vec2 &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    const double side_a = cross(direction, a), side_b = cross(direction, b);
    if (side_a >= 0) kept.push_back(a);
    if ((side_a < 0) != (side_b < 0)) kept.push_back(a + side_a / (side_a - side_b) * (b - a));
  }
  return kept;
}

Vec2 direction(double angle) {
  return {std::cos(angle), std::sin(angle)};
}

double area_in_disc(const std::vector<Vec2>& polygon, double radius) {
  double area = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i)
    area += triangle_in_disc(polygon[i], polygon[(i + 1) % polygon.size()], radius);
  return area;
}

bool is_whole(const Sector& sector) {
  return sector.to - sector.from > 1.5 * kPi;
}

}  // namespace

double sector_share(const FftGrid& grid, double lambda_A, double kx, double ky, const Sector& sector,
                    DetectorEdges edges) {
  const double ring = annulus_share(grid, lambda_A, kx, ky, sector.inner_mrad, sector.outer_mrad, edges);
  if (ring == 0 || is_whole(sector)) return ring;
  if (edges == DetectorEdges::hard) {
    const double beyond = (std::atan2(ky, kx) - sector.from) / (2 * kPi);
    return (beyond - std::floor(beyond)) * 2 * kPi < sector.to - sector.from ? ring : 0;
  }
  const double hx = 0.5 * grid.dkx(), hy = 0.5 * grid.dky(), to_k = 1e-3 / lambda_A;
  std::vector<Vec2> pixel{{kx - hx, ky - hy}, {kx + hx, ky - hy}, {kx + hx, ky + hy}, {kx - hx, ky + hy}};
  pixel = left_of(left_of(pixel, direction(sector.from)), -direction(sector.to));
  const double area =
      area_in_disc(pixel, sector.outer_mrad * to_k) - area_in_disc(pixel, sector.inner_mrad * to_k);
  return std::clamp(area / (4 * hx * hy), 0.0, 1.0);
}

std::vector<Sector> sectors_of(const DetectorOptions& detector) {
  std::vector<Sector> sectors;
  const double width = (detector.outer_mrad - detector.inner_mrad) / detector.rings;
  const double turn = 2 * kPi / detector.segments, start = radians(detector.rotation_deg);
  for (int ring = 0; ring < detector.rings; ++ring)
    for (int s = 0; s < detector.segments; ++s)
      sectors.push_back({detector.inner_mrad + ring * width, detector.inner_mrad + (ring + 1) * width,
                         start + s * turn, start + (s + 1) * turn});
  return sectors;
}

std::array<double, 2> centroid_mrad(const Sector& sector) {
  if (is_whole(sector)) return {0, 0};
  const double a = sector.inner_mrad, b = sector.outer_mrad, half = (sector.to - sector.from) / 2;
  const double radius = 2. / 3 * (b * b * b - a * a * a) / (b * b - a * a) * std::sin(half) / half;
  const double middle = (sector.from + sector.to) / 2;
  return {radius * std::cos(middle), radius * std::sin(middle)};
}

}  // namespace aetos::multislice
