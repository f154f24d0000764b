#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <optional>

#include "aetos/tracing/peaks.hpp"

namespace aetos::tracing {
namespace {

using Vec6 = Eigen::Matrix<double, 6, 1>;  // centre (z, y, x), sigma, height, background
using Mat6 = Eigen::Matrix<double, 6, 6>;

constexpr int kMaximumSteps = 60;
constexpr double kConverged = 1e-6;  // voxels, and relative to the height

constexpr int kRecentrings = 4;
constexpr double kCentred = 0.02;  // voxels

struct Sample {
  Vec3 at;  // z, y, x in voxels from the maximum
  double value;
};

double value_at(const Slab& slab, std::array<std::int64_t, 3> v) {
  // Beyond the border the outermost voxel goes on.
  v[0] -= static_cast<std::int64_t>(slab.first_plane);
  for (std::size_t a = 0; a < 3; ++a)
    v[a] = std::clamp<std::int64_t>(v[a], 0, static_cast<std::int64_t>(slab.values.extent(a)) - 1);
  return static_cast<double>(slab.values(v[0], v[1], v[2]));
}

/// Cubic convolution weights of the four samples about a point `f` beyond the second (Keys 1981, eq. 15).
std::array<double, 4> keys_weights(double f) {
  const double f2 = f * f, f3 = f2 * f;
  return {(-f3 + 2 * f2 - f) / 2, (3 * f3 - 5 * f2 + 2) / 2, (-3 * f3 + 4 * f2 + f) / 2, (f3 - f2) / 2};
}

double interpolate(const Slab& slab, const std::array<double, 3>& at) {
  std::array<std::int64_t, 3> first{};
  std::array<std::array<double, 4>, 3> weights{};
  for (std::size_t a = 0; a < 3; ++a) {
    const double below = std::floor(at[a]);
    first[a] = static_cast<std::int64_t>(below) - 1;
    weights[a] = keys_weights(at[a] - below);
  }
  double sum = 0;
  for (std::int64_t k = 0; k < 4; ++k)
    for (std::int64_t j = 0; j < 4; ++j)
      for (std::int64_t i = 0; i < 4; ++i)
        sum += weights[0][static_cast<std::size_t>(k)] * weights[1][static_cast<std::size_t>(j)] *
               weights[2][static_cast<std::size_t>(i)] *
               value_at(slab, {first[0] + k, first[1] + j, first[2] + i});
  return sum;
}

/// The highest point of the finer grid within a voxel of the maximum.
std::array<double, 3> finer_maximum(const Slab& slab, const Maximum& maximum, int steps, double& height) {
  std::array<double, 3> best = maximum.centre;
  height = interpolate(slab, best);
  for (int k = -steps; k <= steps; ++k)
    for (int j = -steps; j <= steps; ++j)
      for (int i = -steps; i <= steps; ++i) {
        std::array<double, 3> at = maximum.centre;
        at[0] += static_cast<double>(k) / steps;
        at[1] += static_cast<double>(j) / steps;
        at[2] += static_cast<double>(i) / steps;
        const double value = interpolate(slab, at);
        if (!(value > height)) continue;
        height = value;
        best = at;
      }
  return best;
}

/// Calls visit(voxel) for the voxels of the volume in a box of half side `reach` about `centre`.
template <class Visit>
void for_box(const Slab& slab, const std::array<double, 3>& centre, double reach, Visit visit) {
  std::array<std::int64_t, 3> low{}, high{};
  for (std::size_t a = 0; a < 3; ++a) {
    low[a] = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(centre[a] - reach)));
    high[a] = std::min<std::int64_t>(static_cast<std::int64_t>(slab.volume[a]) - 1,
                                     static_cast<std::int64_t>(std::floor(centre[a] + reach)));
  }
  for (std::int64_t z = low[0]; z <= high[0]; ++z)
    for (std::int64_t y = low[1]; y <= high[1]; ++y)
      for (std::int64_t x = low[2]; x <= high[2]; ++x) visit(std::array<std::int64_t, 3>{z, y, x});
}

std::vector<Sample> samples_in_sphere(const Slab& slab, const std::array<double, 3>& centre,
                                      const Maximum& origin, double radius) {
  std::vector<Sample> samples;
  for_box(slab, centre, radius, [&](const std::array<std::int64_t, 3>& v) {
    Vec3 from_centre, from_origin;
    for (std::size_t a = 0; a < 3; ++a) {
      from_centre(static_cast<Eigen::Index>(a)) = static_cast<double>(v[a]) - centre[a];
      from_origin(static_cast<Eigen::Index>(a)) = static_cast<double>(v[a]) - origin.centre[a];
    }
    if (from_centre.squaredNorm() <= radius * radius) samples.push_back({from_origin, value_at(slab, v)});
  });
  return samples;
}

/// Sum of squares at p, and where asked the normal equations.
double evaluate(const std::vector<Sample>& samples, const Vec6& p, Mat6* normal, Vec6* gradient) {
  if (normal) normal->setZero();
  if (gradient) gradient->setZero();
  double sum = 0;
  for (const Sample& s : samples) {
    const Vec3 d = s.at - p.head<3>();
    const double shape = std::exp(-d.squaredNorm() / (2 * p(3) * p(3)));
    const double residual = p(4) * shape + p(5) - s.value;
    sum += residual * residual;
    if (!normal) continue;
    Vec6 slope;
    slope.head<3>() = p(4) * shape / (p(3) * p(3)) * d;
    slope(3) = p(4) * shape * d.squaredNorm() / (p(3) * p(3) * p(3));
    slope(4) = shape;
    slope(5) = 1;
    normal->noalias() += slope * slope.transpose();
    *gradient += residual * slope;
  }
  return sum;
}

/// Levenberg-Marquardt with Marquardt's scaling. True if it converged.
bool minimise(const std::vector<Sample>& samples, Vec6& p, bool free_background) {
  Mat6 normal;
  Vec6 gradient;
  double now = evaluate(samples, p, &normal, &gradient), damping = 1e-3;
  for (int step = 0; step < kMaximumSteps; ++step) {
    Mat6 damped = normal;
    damped.diagonal() *= 1 + damping;
    if (!free_background) {
      damped.row(5).setZero();
      damped.col(5).setZero();
      damped(5, 5) = 1;
      gradient(5) = 0;
    }
    const Vec6 move = -damped.ldlt().solve(gradient);
    if (!move.allFinite()) return false;
    Vec6 next = p + move;
    next(3) = std::abs(next(3));
    const double then = next(3) > 0 ? evaluate(samples, next, nullptr, nullptr) : 2 * now + 1;
    const bool small = move.head<4>().norm() < kConverged && std::abs(move(4)) < kConverged * std::abs(p(4));
    if (then <= now) {
      p = next;
      if (small) return true;
      now = evaluate(samples, p, &normal, &gradient);
      damping = std::max(damping / 10, 1e-12);
    } else {
      if (small) return true;
      damping *= 10;
      if (damping > 1e12) return false;
    }
  }
  return false;
}

double box_sum(const Slab& slab, const std::array<double, 3>& centre, double half) {
  double sum = 0;
  for_box(slab, centre, half + 0.5, [&](const std::array<std::int64_t, 3>& v) {
    double share = 1;
    for (std::size_t a = 0; a < 3; ++a)
      share *= std::clamp(half + 0.5 - std::abs(static_cast<double>(v[a]) - centre[a]), 0.0, 1.0);
    sum += share * value_at(slab, v);
  });
  return sum;
}

}  // namespace

namespace {

/// Fits the voxels about `centre`, from there. Where width and a free background run away together, as on
/// flat tops, the background stays at the lowest voxel. Nothing if that does not converge either or leaves
/// the place.
std::optional<Vec6> fit_about(const Slab& slab, const std::array<double, 3>& centre, double height,
                              const Maximum& maximum, const PeakOptions& options) {
  const auto samples = samples_in_sphere(slab, centre, maximum, options.fit_radius);
  double lowest = height;
  for (const Sample& s : samples) lowest = std::min(lowest, s.value);
  if (samples.size() <= 6 || !(height > lowest)) return {};
  const double allowed = std::max(1.0, options.fit_radius / 2);
  for (const bool free_background : {true, false}) {
    Vec6 p;
    for (std::size_t a = 0; a < 3; ++a) p(static_cast<Eigen::Index>(a)) = centre[a] - maximum.centre[a];
    p.tail<3>() << options.fit_radius / 2, height - lowest, lowest;
    if (minimise(samples, p, free_background) && p(4) > 0 && p(3) > 0.2 && p(3) < options.fit_radius &&
        p.head<3>().norm() <= allowed)
      return p;
  }
  return {};
}

std::array<double, 3> centre_of(const Maximum& maximum, const Vec6& p) {
  std::array<double, 3> centre = maximum.centre;
  for (std::size_t a = 0; a < 3; ++a) centre[a] += p(static_cast<Eigen::Index>(a));
  return centre;
}

}  // namespace

Peak fit_peak(const Slab& slab, const Slab& smoothed, const Maximum& maximum, const PeakOptions& options) {
  Peak peak;
  peak.smoothed = static_cast<double>(maximum.height);
  peak.centre = finer_maximum(smoothed, maximum, options.interpolation, peak.height);
  // First about the finer maximum, else about the voxel's, then about the last fit's centre, so
  // that the sphere lies evenly round the atom.
  auto p = fit_about(slab, peak.centre, peak.height, maximum, options);
  if (!p) p = fit_about(slab, maximum.centre, peak.height, maximum, options);
  for (int round = 0; p && round < kRecentrings; ++round) {
    const auto next = fit_about(slab, centre_of(maximum, *p), (*p)(4) + (*p)(5), maximum, options);
    if (!next) break;
    const double moved = (next->head<3>() - p->head<3>()).norm();
    p = next;
    if (moved < kCentred) break;
  }
  if (p) {
    peak.fit = PeakFit::gaussian;
    peak.centre = centre_of(maximum, *p);
    peak.sigma = (*p)(3);
    peak.height = (*p)(4);
    peak.background = (*p)(5);
    const auto samples = samples_in_sphere(slab, peak.centre, maximum, options.fit_radius);
    const double sum = evaluate(samples, *p, nullptr, nullptr);
    peak.residual = std::sqrt(sum / static_cast<double>(samples.size())) / peak.height;
  }
  peak.integrated = box_sum(slab, peak.centre, options.integration);
  return peak;
}

}  // namespace aetos::tracing
