#include "grains.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/Geometry>
#include <Eigen/LU>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/units.hpp"
#include "sets.hpp"

namespace aetos::analysis {
namespace {

constexpr double kWorstFit = 0.3, kSameGrain_deg = 4;
constexpr std::size_t kFewestNeighbours = 9, kSmallestGrain = 30;

/// The rotations of the cube.
const std::vector<Mat3>& cube_rotations() {
  static const std::vector<Mat3> all = [] {
    std::vector<Mat3> rotations;
    std::array<int, 3> p{0, 1, 2};
    do
      for (int signs = 0; signs < 8; ++signs) {
        Mat3 m = Mat3::Zero();
        for (int k = 0; k < 3; ++k) m(k, p[static_cast<std::size_t>(k)]) = (signs >> k) & 1 ? -1 : 1;
        if (m.determinant() > 0) rotations.push_back(m);
      }
    while (std::next_permutation(p.begin(), p.end()));
    return rotations;
  }();
  return all;
}

/// Axes along p, in the plane of p and q, and normal to both.
Mat3 frame(const Vec3& p, const Vec3& q) {
  Mat3 f;
  f.col(0) = p.normalized();
  f.col(2) = p.cross(q).normalized();
  f.col(1) = f.col(2).cross(f.col(0));
  return f;
}

std::size_t nearest_direction(const Mat3& R, const Vec3& v) {
  const Vec3 u = R.transpose() * v;
  std::size_t best = 0;
  const auto& ideal = fcc_neighbours();
  for (std::size_t k = 1; k < ideal.size(); ++k)
    if (u.dot(ideal[k]) > u.dot(ideal[best])) best = k;
  return best;
}

double misfit(const Mat3& R, const std::vector<Vec3>& directions) {
  double sum = 0;
  for (const auto& v : directions) sum += (v - R * fcc_neighbours()[nearest_direction(R, v)]).squaredNorm();
  return std::sqrt(sum / static_cast<double>(directions.size()));
}

/// The rotation nearest to a matrix.
Mat3 rotation_of(const Mat3& m) {
  const Eigen::JacobiSVD<Mat3> svd(m, Eigen::ComputeFullU | Eigen::ComputeFullV);
  Mat3 sign = Mat3::Identity();
  sign(2, 2) = (svd.matrixU() * svd.matrixV().transpose()).determinant() < 0 ? -1 : 1;
  return svd.matrixU() * sign * svd.matrixV().transpose();
}

/// Least-squares rotation of the ideal directions onto the given ones (Kabsch 1976).
Mat3 refined(const Mat3& R, const std::vector<Vec3>& directions) {
  Mat3 m = Mat3::Zero();
  for (const auto& v : directions) m += v * fcc_neighbours()[nearest_direction(R, v)].transpose();
  return rotation_of(m);
}

/// Fits the lattice to all bonds within the grain: v = M h, M by least squares.
void fit_lattice(std::span<const Vec3> points, const Neighbourhood& neighbours,
                 const std::vector<bool>& member, const Mat3& start, Grain& grain) {
  Mat3 across = Mat3::Zero(), ideal = Mat3::Zero();
  for (const std::size_t i : grain.atoms)
    for (const auto& n : neighbours.of[i]) {
      if (!member[n.index]) continue;
      const Vec3 v = points[n.index] - points[i];
      const Vec3 h = fcc_neighbours()[nearest_direction(start, v)];
      if (v.normalized().dot(start * h) < std::cos(radians(20))) continue;
      across += v * h.transpose();
      ideal += h * h.transpose();
    }
  const Mat3 M = across * ideal.inverse();
  grain.orientation = rotation_of(M);
  grain.bond_A = std::cbrt(std::abs(M.determinant()));
}

/// Atoms of a grain's phase at its border, whose neighbours are too few or too disturbed to tell an
/// orientation, go to the grain that most of their neighbours are of (the larger in a tie), all at once.
void take_in_borders(const Neighbourhood& neighbours, std::span<const Phase> phases,
                     std::vector<Grain>& grains) {
  std::vector<std::size_t> of(phases.size(), grains.size());
  for (std::size_t g = 0; g < grains.size(); ++g)
    for (const std::size_t i : grains[g].atoms) of[i] = g;
  std::vector<std::vector<std::size_t>> taken(grains.size());
  for (std::size_t i = 0; i < phases.size(); ++i) {
    if (of[i] != grains.size()) continue;
    std::vector<std::size_t> count(grains.size());
    for (const auto& n : neighbours.of[i])
      if (of[n.index] != grains.size() && grains[of[n.index]].phase == phases[i]) ++count[of[n.index]];
    const auto most = std::max_element(count.begin(), count.end());
    if (most != count.end() && *most > 0) taken[static_cast<std::size_t>(most - count.begin())].push_back(i);
  }
  for (std::size_t g = 0; g < grains.size(); ++g) {
    auto& own = grains[g].atoms;
    own.insert(own.end(), taken[g].begin(), taken[g].end());
    std::sort(own.begin(), own.end());
  }
}

}  // namespace

const std::array<Vec3, 12>& fcc_neighbours() {
  static const std::array<Vec3, 12> all = [] {
    std::array<Vec3, 12> v;
    std::size_t k = 0;
    for (int axis = 0; axis < 3; ++axis)
      for (int a : {-1, 1})
        for (int b : {-1, 1}) {
          Vec3 h = Vec3::Zero();
          h[(axis + 1) % 3] = a;
          h[(axis + 2) % 3] = b;
          v[k++] = h.normalized();
        }
    return v;
  }();
  return all;
}

std::optional<Mat3> local_orientation(std::span<const Vec3> points, const Neighbourhood& neighbours,
                                      std::size_t atom) {
  std::vector<Vec3> directions;
  for (const auto& n : neighbours.of[atom])
    if (directions.size() < 12) directions.push_back((points[n.index] - points[atom]).normalized());
  if (directions.size() < kFewestNeighbours) return std::nullopt;
  const Vec3 h1 = Vec3(1, 1, 0).normalized(), h2 = Vec3(1, 0, 1).normalized();
  const Mat3 ideal = frame(h1, h2);
  std::optional<Mat3> best;
  double least = kWorstFit;
  for (std::size_t a = 0; a < 4; ++a)
    for (std::size_t b = 0; b < directions.size(); ++b) {
      const double cosine = directions[a].dot(directions[b]);
      if (a == b || cosine < std::cos(radians(72)) || cosine > std::cos(radians(48))) continue;
      const Mat3 R = frame(directions[a], directions[b]) * ideal.transpose();
      const double fit = misfit(R, directions);
      if (fit < least) {
        least = fit;
        best = R;
      }
    }
  if (!best) return std::nullopt;
  return refined(refined(*best, directions), directions);
}

double angle_deg(const Mat3& rotation) {
  return Eigen::AngleAxisd(rotation).angle() * 180 / kPi;
}

Mat3 least_rotation(const Mat3& from, const Mat3& to) {
  Mat3 best = to * from.transpose();
  for (const auto& s : cube_rotations()) {
    const Mat3 rotation = to * s * from.transpose();
    if (rotation.trace() > best.trace()) best = rotation;
  }
  return best;
}

std::vector<Grain> find_grains(std::span<const Vec3> points, const Neighbourhood& neighbours,
                               std::span<const Phase> phases) {
  std::vector<std::optional<Mat3>> turned(points.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    if (phases[i] == Phase::metal || phases[i] == Phase::crystalline_oxide)
      turned[i] = local_orientation(points, neighbours, i);
  Sets sets(points.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    for (const auto& n : neighbours.of[i])
      if (n.index > i && turned[i] && turned[n.index] && phases[i] == phases[n.index] &&
          angle_deg(least_rotation(*turned[i], *turned[n.index])) < kSameGrain_deg)
        sets.join(i, n.index);
  std::map<std::size_t, Grain> by_first;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (turned[i]) by_first[sets.find(i)].atoms.push_back(i);
  std::vector<Grain> grains;
  for (auto& [first, grain] : by_first) {
    if (grain.atoms.size() < kSmallestGrain) continue;
    grain.phase = phases[first];
    std::vector<bool> member(points.size());
    for (const std::size_t i : grain.atoms) member[i] = true;
    fit_lattice(points, neighbours, member, *turned[first], grain);
    fit_lattice(points, neighbours, member, Mat3(grain.orientation), grain);
    grains.push_back(std::move(grain));
  }
  std::stable_sort(grains.begin(), grains.end(),
                   [](const Grain& a, const Grain& b) { return a.atoms.size() > b.atoms.size(); });
  take_in_borders(neighbours, phases, grains);
  return grains;
}

}  // namespace aetos::analysis
