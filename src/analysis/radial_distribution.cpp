#include "aetos/analysis/radial_distribution.hpp"

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "aetos/core/units.hpp"

namespace aetos::analysis {
namespace {

/// Atoms nearer than this are one atom given twice, no neighbours.
constexpr double kTouching_A = 0.5;

std::size_t bin_of(double distance, double step) {
  return static_cast<std::size_t>(std::ceil(distance / step + 0.01)) - 1;
}

void count_pairs(const Structure& atoms, double r_max, RadialDistribution& d) {
  std::vector<std::size_t> order(atoms.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(atoms.position[a].x(), a) < std::pair(atoms.position[b].x(), b);
  });
  for (std::size_t a = 0; a < order.size(); ++a) {
    const std::size_t i = order[a];
    const Vec3 here = atoms.position[i];
    const int zi = atoms.atomic_number[i];
    for (std::size_t b = a + 1; b < order.size(); ++b) {
      const std::size_t j = order[b];
      const Vec3 apart = atoms.position[j] - here;
      if (apart.x() > r_max) break;
      const double squared = apart.squaredNorm();
      if (squared > r_max * r_max) continue;
      const std::size_t k = bin_of(std::sqrt(squared), d.step_A);
      if (k >= d.pairs.size()) continue;
      const int zj = atoms.atomic_number[j];
      d.pairs[k] += 2;
      d.partial.at(std::minmax(zi, zj))[k] += zi == zj ? 2 : 1;
    }
  }
}

/// Whether places lie in a set of tetrahedra, on voxels.
class Mask {
 public:
  Mask(std::span<const Vec3> points, std::span<const Tetrahedron> sample) {
    low_ = points[sample.front().atoms[0]];
    Vec3 high = low_;
    for (const auto& t : sample)
      for (const std::size_t a : t.atoms) {
        low_ = low_.cwiseMin(points[a]);
        high = high.cwiseMax(points[a]);
      }
    const Vec3 size = high - low_;
    voxel_ = std::max(0.25, std::cbrt(size.prod() / 4e8));
    for (int k = 0; k < 3; ++k) n_[k] = static_cast<int>(size(k) / voxel_) + 1;
    inside_.resize(static_cast<std::size_t>(n_[0]) * n_[1] * n_[2]);
    for (const auto& t : sample) fill(points, t);
  }

  double voxel_A() const { return voxel_; }
  Vec3 in_voxels(const Vec3& place) const { return (place - low_) / voxel_; }
  /// Of a place in voxels. Bare numbers: with small vectors this, the innermost step, takes three times as
  /// long.
  bool contains(double x, double y, double z) const {
    return x >= 0 && y >= 0 && z >= 0 && x < n_[0] && y < n_[1] && z < n_[2] &&
           inside_[index(static_cast<int>(x), static_cast<int>(y), static_cast<int>(z))];
  }

 private:
  std::size_t index(int x, int y, int z) const {
    return (static_cast<std::size_t>(x) * n_[1] + y) * n_[2] + z;
  }

  void fill(std::span<const Vec3> points, const Tetrahedron& t) {
    const Vec3 origin = points[t.atoms[0]];
    Mat3 edges;
    for (int k = 0; k < 3; ++k) edges.col(k) = points[t.atoms[static_cast<std::size_t>(k) + 1]] - origin;
    const Mat3 to_barycentric = edges.inverse();
    if (!to_barycentric.allFinite()) return;  // flat
    Vec3 low = origin, high = origin;
    for (const std::size_t a : t.atoms) {
      low = low.cwiseMin(points[a]);
      high = high.cwiseMax(points[a]);
    }
    const Eigen::Vector3i from = ((low - low_) / voxel_).cast<int>(),
                          to = ((high - low_) / voxel_).cast<int>();
    const Vec3 step = voxel_ * to_barycentric.col(2);
    for (int x = from.x(); x <= to.x(); ++x)
      for (int y = from.y(); y <= to.y(); ++y) {
        const Vec3 first = to_barycentric * (low_ + voxel_ * Vec3(x + 0.5, y + 0.5, 0.5) - origin);
        // The voxels of this row where all four coordinates are 0 or more.
        double z_low = from.z(), z_high = to.z();
        for (int k = 0; k < 4; ++k) {
          const double value = k < 3 ? first[k] : 1 - first.sum(), slope = k < 3 ? step[k] : -step.sum();
          if (slope > 0)
            z_low = std::max(z_low, std::ceil(-value / slope));
          else if (slope < 0)
            z_high = std::min(z_high, std::floor(-value / slope));
          else if (value < 0)
            z_high = -1;
        }
        if (!(z_low <= z_high)) continue;
        for (int z = static_cast<int>(z_low); z <= static_cast<int>(z_high); ++z)
          inside_[index(x, y, z)] = true;
      }
  }

  Vec3 low_ = Vec3::Zero();
  double voxel_ = 0.25;
  int n_[3] = {};
  std::vector<bool> inside_;  ///< bits, so that more of it stays in the caches
};

/// Evenly spread directions (Fibonacci's sphere).
std::vector<Vec3> directions(std::size_t n) {
  std::vector<Vec3> all;
  for (std::size_t k = 0; k < n; ++k) {
    const double z = 1 - (2 * static_cast<double>(k) + 1) / static_cast<double>(n);
    const double phi = static_cast<double>(k) * kPi * (3 - std::sqrt(5.0)), rho = std::sqrt(1 - z * z);
    all.emplace_back(rho * std::cos(phi), rho * std::sin(phi), z);
  }
  return all;
}

/// The i-th of rotations that fill all orientations evenly: a Weyl sequence through Shoemake's map.
Mat3 even_rotation(std::size_t i) {
  const auto part = [&](double step) { return std::fmod(step * static_cast<double>(i + 1), 1.0); };
  const double u = part(0.8191725133961645), v = 2 * kPi * part(0.6710436067037893),
               w = 2 * kPi * part(0.5497004779019703);
  const double a = std::sqrt(1 - u), b = std::sqrt(u);
  return Eigen::Quaterniond(b * std::cos(w), a * std::sin(v), a * std::cos(v), b * std::sin(w))
      .toRotationMatrix();
}

/// Radii at which the share is sampled; between them it is smooth enough for straight lines.
std::vector<double> sampled_radii(double r_max) {
  std::vector<double> radii{0};
  while (radii.back() < r_max) radii.push_back(radii.back() + (radii.back() < 6 ? 0.25 : 0.5));
  return radii;
}

std::vector<double> shell_volumes(const Structure& atoms, std::span<const Tetrahedron> alpha,
                                  std::size_t bins, double step) {
  const auto radii = sampled_radii(static_cast<double>(bins) * step);
  auto inside = spheres_inside(atoms.position, alpha, radii);
  const auto at_atoms = filled_solid_angle(atoms.position, alpha);
  inside[0] = std::accumulate(at_atoms.begin(), at_atoms.end(), 0.0);
  std::vector<double> volumes(bins);
  std::size_t left = 0;
  for (std::size_t k = 0; k < bins; ++k) {
    const double n = static_cast<double>(k), r = (n + 0.5) * step;
    while (radii[left + 1] < r) ++left;
    const double t = (r - radii[left]) / (radii[left + 1] - radii[left]);
    const double shell = 4.0 / 3 * kPi * step * step * step * ((n + 1) * (n + 1) * (n + 1) - n * n * n);
    volumes[k] = shell * ((1 - t) * inside[left] + t * inside[left + 1]);
  }
  return volumes;
}

/// g, or where there is no sample volume pairs over r², smoothed.
std::vector<double> smooth_curve(const RadialDistribution& d) {
  auto g = d.g();
  if (g.empty())
    for (std::size_t k = 0; k < d.pairs.size(); ++k)
      g.push_back(static_cast<double>(d.pairs[k]) / (d.centre_A(k) * d.centre_A(k)));
  const double sigma = 0.05 / d.step_A;
  const int reach = static_cast<int>(std::ceil(4 * sigma));
  std::vector<double> smooth(g.size());
  for (int k = 0; k < static_cast<int>(g.size()); ++k) {
    double sum = 0, weights = 0;
    for (int m = std::max(0, k - reach); m <= std::min<int>(static_cast<int>(g.size()) - 1, k + reach); ++m) {
      const double w = std::exp(-0.5 * (m - k) * (m - k) / (sigma * sigma));
      sum += w * g[static_cast<std::size_t>(m)];
      weights += w;
    }
    smooth[static_cast<std::size_t>(k)] = sum / weights;
  }
  return smooth;
}

/// Where the atoms have one neighbour each on average (or all pairs there are); the number of bins without
/// pairs.
std::size_t bin_of_first_neighbours(const RadialDistribution& d, std::size_t first) {
  const auto begin = d.pairs.begin() + static_cast<std::ptrdiff_t>(std::min(first, d.pairs.size()));
  const auto all = std::accumulate(begin, d.pairs.end(), std::int64_t{0});
  if (all == 0) return d.pairs.size();
  const auto enough = std::min(all, static_cast<std::int64_t>(d.atoms));
  std::int64_t sum = 0;
  std::size_t k = first;
  while ((sum += d.pairs[k]) < enough) ++k;
  return k;
}

}  // namespace

std::vector<double> RadialDistribution::g() const {
  std::vector<double> values;
  if (!(sample_volume_A3 > 0)) return values;
  for (std::size_t k = 0; k < pairs.size(); ++k)
    values.push_back(volume_A3[k] > 0 ? static_cast<double>(pairs[k]) / static_cast<double>(atoms) *
                                            sample_volume_A3 / volume_A3[k]
                                      : 0);
  return values;
}

std::vector<double> spheres_inside(std::span<const Vec3> points, std::span<const Tetrahedron> sample,
                                   std::span<const double> radii_A) {
  std::vector<double> sums(radii_A.size());
  if (sample.empty()) return sums;
  const Mask mask(points, sample);
  const auto sphere = directions(64);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Mat3 turn = even_rotation(i);
    std::array<std::vector<double>, 3> u;
    for (const Vec3& direction : sphere) {
      const Vec3 turned = turn * direction;
      for (int axis = 0; axis < 3; ++axis) u[static_cast<std::size_t>(axis)].push_back(turned[axis]);
    }
    const Vec3 centre = mask.in_voxels(points[i]);
    const double x = centre.x(), y = centre.y(), z = centre.z();
    for (std::size_t k = 0; k < radii_A.size(); ++k) {
      const double r = radii_A[k] / mask.voxel_A();
      int hits = 0;
      for (std::size_t d = 0; d < sphere.size(); ++d)
        hits += mask.contains(x + r * u[0][d], y + r * u[1][d], z + r * u[2][d]);
      sums[k] += hits;
    }
  }
  for (double& s : sums) s /= static_cast<double>(sphere.size());
  return sums;
}

RadialDistribution radial_distribution(const Structure& atoms, std::span<const Tetrahedron> alpha,
                                       double step_A, double r_max_A) {
  RadialDistribution d;
  d.step_A = step_A;
  d.atoms = atoms.size();
  const auto bins = static_cast<std::size_t>(std::lround(r_max_A / step_A));
  d.pairs.resize(bins);
  std::vector<int> species(atoms.atomic_number.begin(), atoms.atomic_number.end());
  std::sort(species.begin(), species.end());
  species.erase(std::unique(species.begin(), species.end()), species.end());
  for (std::size_t a = 0; a < species.size(); ++a)
    for (std::size_t b = a; b < species.size(); ++b) d.partial[{species[a], species[b]}].resize(bins);
  count_pairs(atoms, r_max_A, d);
  d.sample_volume_A3 = total_volume_A3(alpha);
  d.volume_A3 = shell_volumes(atoms, alpha, bins, step_A);
  return d;
}

std::optional<FirstMinimum> first_minimum(const RadialDistribution& d) {
  const std::size_t first = bin_of(kTouching_A, d.step_A) + 1;
  const std::size_t nearest = bin_of_first_neighbours(d, first);
  if (nearest == d.pairs.size()) return std::nullopt;
  const auto g = smooth_curve(d);
  const auto upto = [&](double r) {
    return g.begin() +
           static_cast<std::ptrdiff_t>(std::min(g.size(), static_cast<std::size_t>(r / d.step_A) + 1));
  };
  const auto peak =
      std::max_element(g.begin() + static_cast<std::ptrdiff_t>(first), upto(1.3 * d.centre_A(nearest)));
  const double peak_A = d.centre_A(static_cast<std::size_t>(peak - g.begin()));
  const auto end = upto(1.45 * peak_A);
  const auto lowest = std::min_element(peak, end);
  const double near = *lowest + std::max(0.05 * *lowest, 0.01 * std::min(1.0, *peak));
  auto low = lowest, high = lowest;
  while (low > peak && *(low - 1) <= near) --low;
  while (high + 1 < end && *(high + 1) <= near) ++high;
  FirstMinimum m;
  m.peak_A = peak_A;
  m.low_A = d.centre_A(static_cast<std::size_t>(low - g.begin()));
  m.high_A = d.centre_A(static_cast<std::size_t>(high - g.begin()));
  m.cutoff_A = 0.5 * (m.low_A + m.high_A);
  m.g_minimum = *lowest;
  return m;
}

}  // namespace aetos::analysis
