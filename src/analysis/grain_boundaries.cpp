#include "grain_boundaries.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <tuple>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/units.hpp"

namespace aetos::analysis {
namespace {

constexpr double kFacet_deg = 5, kInPlane = 0.4;
constexpr std::size_t kFewestContacts = 8, kFewestInPlane = 4;

/// The axis of least spread of some points, and that spread (rms).
std::pair<Vec3, double> plane_normal(const std::vector<Vec3>& points) {
  Vec3 mean = Vec3::Zero();
  for (const auto& p : points) mean += p / static_cast<double>(points.size());
  Mat3 spread = Mat3::Zero();
  for (const auto& p : points)
    spread += (p - mean) * (p - mean).transpose() / static_cast<double>(points.size());
  const Eigen::SelfAdjointEigenSolver<Mat3> axes(spread);
  return {axes.eigenvectors().col(0), std::sqrt(std::max(0.0, axes.eigenvalues()[0]))};
}

/// Splits a rotation into one about the normal, after one about an axis in the plane.
void split(const Mat3& rotation, GrainBoundary& boundary) {
  const Eigen::Quaterniond q(rotation);
  Eigen::Quaterniond twist(q.w(), 0, 0, 0);
  twist.vec() = q.vec().dot(boundary.normal) * boundary.normal;
  if (twist.norm() < 1e-12) twist = Eigen::Quaterniond::Identity();
  twist.normalize();
  boundary.misorientation_deg = angle_deg(rotation);
  boundary.twist_deg = angle_deg(twist.toRotationMatrix());
  boundary.bend_deg = angle_deg((twist.conjugate() * q).toRotationMatrix());
}

struct Side {
  const Grain* grain;
  std::vector<Vec3> places;
  atoms::NeighbourSearch search;
  Side(std::span<const Vec3> points, const Grain& g) : grain(&g), places(taken(points, g)), search(places) {}
  static std::vector<Vec3> taken(std::span<const Vec3> points, const Grain& g) {
    std::vector<Vec3> out;
    for (const std::size_t i : g.atoms) out.push_back(points[i]);
    return out;
  }
};

/// Pairs of each atom of one side with its nearest of the other, middle and atom.
void facing(const Side& one, const Side& other, double reach_A, std::vector<Vec3>& middles, Vec3& across,
            std::vector<std::size_t>& contact, double sign) {
  for (std::size_t k = 0; k < one.places.size(); ++k) {
    const auto near = other.search.nearest(one.places[k]);
    if (!near || near->distance_A >= reach_A) continue;
    middles.push_back(0.5 * (one.places[k] + other.places[near->index]));
    across += sign * (other.places[near->index] - one.places[k]);
    contact.push_back(one.grain->atoms[k]);
  }
}

void count_coherent(const Side& one, const Side& other, double reach_A, GrainBoundary& boundary) {
  const double d = one.grain->bond_A, close = 0.3 * d;
  for (const auto& r : one.places) {
    const auto near = other.search.nearest(r);
    if (!near || near->distance_A >= reach_A) continue;
    for (const auto& h : fcc_neighbours()) {
      const Vec3 site = r + d * (one.grain->orientation * h);
      const auto own = one.search.nearest(site), across = other.search.nearest(site);
      if (own->distance_A < close || across->distance_A > 0.5 * d) continue;
      ++boundary.sites;
      if (across->distance_A < close) ++boundary.coherent_sites;
    }
  }
}

/// Whether an atom (at 0) and its neighbours end in a plane of that normal: none lies beyond it, and the
/// plane through those in it is within 5 degrees of the one asked for. In FCC the directions to neighbours
/// make cosines of 0 and 0.816 with a {111}.
bool is_outermost_plane(const std::vector<Vec3>& around, const Vec3& normal) {
  std::vector<Vec3> in_plane{Vec3::Zero()};
  for (const auto& v : around) {
    const double along = v.normalized().dot(normal);
    if (along > kInPlane) return false;
    if (along > -kInPlane) in_plane.push_back(v);
  }
  if (in_plane.size() < 1 + kFewestInPlane) return false;
  return std::abs(plane_normal(in_plane).first.dot(normal)) >= std::cos(radians(kFacet_deg));
}

}  // namespace

std::vector<GrainBoundary> grain_boundaries(std::span<const Vec3> points, std::span<const Grain> grains,
                                            double reach_A) {
  std::vector<Side> sides;
  for (const auto& g : grains) sides.emplace_back(points, g);
  std::vector<GrainBoundary> boundaries;
  for (std::size_t a = 0; a < grains.size(); ++a)
    for (std::size_t b = a + 1; b < grains.size(); ++b) {
      GrainBoundary boundary{.first = a, .second = b, .contact = {}};
      std::vector<Vec3> middles;
      Vec3 across = Vec3::Zero();
      facing(sides[a], sides[b], reach_A, middles, across, boundary.contact, 1);
      facing(sides[b], sides[a], reach_A, middles, across, boundary.contact, -1);
      if (middles.size() < 2 * kFewestContacts) continue;
      std::sort(boundary.contact.begin(), boundary.contact.end());
      std::tie(boundary.normal, boundary.flatness_A) = plane_normal(middles);
      if (boundary.normal.dot(across) < 0) boundary.normal = -boundary.normal;
      split(least_rotation(grains[a].orientation, grains[b].orientation), boundary);
      count_coherent(sides[a], sides[b], reach_A, boundary);
      count_coherent(sides[b], sides[a], reach_A, boundary);
      boundaries.push_back(std::move(boundary));
    }
  return boundaries;
}

Facets facets_111(std::span<const Vec3> points, const Neighbourhood& neighbours, const Grain& grain) {
  std::vector<bool> member(points.size());
  for (const std::size_t i : grain.atoms) member[i] = true;
  Facets facets;
  for (const std::size_t i : grain.atoms) {
    std::vector<Vec3> around;
    for (const auto& n : neighbours.of[i])
      if (member[n.index]) around.push_back(points[n.index] - points[i]);
    if (around.size() >= fcc_neighbours().size()) continue;
    ++facets.boundary_atoms;
    for (int sign = 0; sign < 8; ++sign) {
      const Vec3 n = Vec3(sign & 1 ? -1 : 1, sign & 2 ? -1 : 1, sign & 4 ? -1 : 1).normalized();
      if (!is_outermost_plane(around, grain.orientation * n)) continue;
      facets.atoms.push_back(i);
      break;
    }
  }
  return facets;
}

}  // namespace aetos::analysis
