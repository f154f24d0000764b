#include "aetos/tomography/pose.hpp"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>

#include "aetos/core/rotation_vector.hpp"
#include "aetos/core/units.hpp"
#include "row_blocks.hpp"
#include "voxel_projector.hpp"

namespace aetos::tomography {
namespace {

constexpr double kDegrees = kPi / 180;

/// Gaussian blur of the first `rows` rows along both axes; what lies outside the image counts as zero.
void blur(View<float, 2> image, std::size_t rows, double sigma) {
  if (sigma <= 0) return;
  const auto reach = static_cast<std::ptrdiff_t>(std::ceil(4 * sigma));
  std::vector<float> kernel;
  double sum = 0;
  for (std::ptrdiff_t i = -reach; i <= reach; ++i)
    sum += std::exp(-static_cast<double>(i * i) / (2 * sigma * sigma));
  for (std::ptrdiff_t i = -reach; i <= reach; ++i)
    kernel.push_back(static_cast<float>(std::exp(-static_cast<double>(i * i) / (2 * sigma * sigma)) / sum));
  const auto along = [&](std::size_t n, std::size_t stride, float* line) {
    std::vector<float> old(n);
    for (std::size_t i = 0; i < n; ++i) old[i] = line[i * stride];
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::ptrdiff_t>(i);
      float value = 0;
      for (std::ptrdiff_t j = std::max<std::ptrdiff_t>(-reach, -at);
           j <= std::min(reach, static_cast<std::ptrdiff_t>(n) - 1 - at); ++j)
        value += kernel[static_cast<std::size_t>(j + reach)] * old[static_cast<std::size_t>(at + j)];
      line[i * stride] = value;
    }
  };
  for (std::size_t v = 0; v < rows; ++v) along(image.extent(0), image.extent(1), image.data() + v);
  for (std::size_t u = 0; u < image.extent(0); ++u) along(rows, 1, image.data() + u * image.extent(1));
}

/// Derivatives by differences of fourth order, (f(-2) - 8 f(-1) + 8 f(1) - f(2)) / 12.
struct Slopes {
  double u, v;
};
Slopes slopes(View<const float, 2> f, std::size_t u, std::size_t v) {
  const auto difference = [](double a, double b, double c, double d) { return (a - 8 * b + 8 * c - d) / 12; };
  return {difference(f(u - 2, v), f(u - 1, v), f(u + 1, v), f(u + 2, v)),
          difference(f(u, v - 2), f(u, v - 1), f(u, v + 1), f(u, v + 2))};
}

constexpr std::size_t kBorder = 2;    ///< pixels on each side without a derivative
constexpr std::size_t kUnknowns = 6;  ///< three rotations, two shifts, the scale
using Row = std::array<double, kUnknowns>;

/// Normal equations of target = scale image + derivatives . step.
struct Equations {
  std::array<Row, kUnknowns> normal{};
  Row right{};
  double square = 0, count = 0;

  void add(const Row& row, double target) {
    for (std::size_t i = 0; i < kUnknowns; ++i) {
      for (std::size_t j = 0; j < kUnknowns; ++j) normal[i][j] += row[i] * row[j];
      right[i] += row[i] * target;
    }
    square += target * target;
    ++count;
  }
  /// Step and standard errors; zeros where the images say nothing.
  PoseFit solve() const;
};

PoseFit Equations::solve() const {
  using Vector = Eigen::Matrix<double, kUnknowns, 1>;
  using Matrix = Eigen::Matrix<double, kUnknowns, kUnknowns>;
  Matrix matrix;
  Vector sums;
  for (std::size_t i = 0; i < kUnknowns; ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    sums[row] = right[i];
    for (std::size_t j = 0; j < kUnknowns; ++j) matrix(row, static_cast<Eigen::Index>(j)) = normal[i][j];
    // A direction that the image does not feel (a rotation of a sphere) keeps its place.
    matrix(row, row) = matrix(row, row) * (1 + 1e-6) + 1e-300;
  }
  const Eigen::LDLT<Matrix> factors(matrix);
  const Vector found = factors.solve(sums);
  const double scale = found[kUnknowns - 1];
  PoseFit fit;
  if (!found.allFinite() || !(scale > 0)) return fit;
  const double left = square - found.dot(sums);
  const double variance = std::max(left, 0.0) / std::max(count - static_cast<double>(kUnknowns), 1.0);
  for (std::size_t i = 0; i < fit.step.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    const Vector column = factors.solve(Vector::Unit(at));
    fit.step[i] = found[at] / scale;
    fit.sigma[i] = std::sqrt(variance * std::max(column[at], 0.0)) / scale;
  }
  return fit;
}

}  // namespace

PoseFitter::PoseFitter(const Geometry& geometry, double blur_px) : geometry_(geometry), blur_px_(blur_px) {}

PoseFit PoseFitter::fit(View<const float, 3> volume, const Pose& pose, View<const float, 2> measured) {
  geometry_.angles = {pose.angles};
  const Shape<2> shape{geometry_.nu, measured.extent(1)};
  Array<float, 2> image(shape), depth(shape), target(shape);
  VoxelProjector(geometry_).forward_with_depth(volume, 0, image, depth);
  std::copy(measured.begin(), measured.end(), target.begin());
  for (auto* each : {&image, &depth, &target}) blur(*each, geometry_.nv, blur_px_);
  Equations equations;
  for (std::size_t u = kBorder; u + kBorder < geometry_.nu; ++u)
    for (std::size_t v = kBorder; v + kBorder < geometry_.nv; ++v) {
      // A turn by w moves the point (u, v, depth) by w x (u, v, depth); what moves takes its density along.
      const Slopes c = slopes(image, u, v), d = slopes(depth, u, v);
      const double about_beam = centred(v, geometry_.nv) * c.u - centred(u, geometry_.nu) * c.v;
      equations.add({d.v, -d.u, about_beam, -c.u, -c.v, image(u, v)}, target(u, v));
    }
  return equations.solve();
}

Pose moved(const Pose& pose, const PoseStep& step) {
  // R^T r turns by the step in the beam's frame, so R takes its inverse on the right.
  const Mat3 rotation = rotation_matrix(pose.angles) * rotation_by({-step[0], -step[1], -step[2]});
  return {euler_angles(rotation, pose.angles), pose.shift_u - step[3], pose.shift_v - step[4]};
}

PoseStep step_between(const Pose& from, const Pose& to) {
  const Vec3 turn = -rotation_vector(rotation_matrix(from.angles).transpose() * rotation_matrix(to.angles));
  return {turn.x(), turn.y(), turn.z(), from.shift_u - to.shift_u, from.shift_v - to.shift_v};
}

std::pair<double, double> change_between(const std::vector<Pose>& from, const std::vector<Pose>& to) {
  double turn = 0, shift = 0;
  for (std::size_t p = 0; p < from.size(); ++p) {
    const PoseStep s = step_between(from[p], to[p]);
    turn += (s[0] * s[0] + s[1] * s[1] + s[2] * s[2]) / static_cast<double>(from.size());
    shift += (s[3] * s[3] + s[4] * s[4]) / static_cast<double>(from.size());
  }
  return {std::sqrt(turn) / kDegrees, std::sqrt(shift)};
}

std::string pose_table(const std::vector<std::size_t>& numbers, const std::vector<Pose>& poses) {
  std::string text = "projection,phi_deg,theta_deg,psi_deg,shift_y_px,shift_x_px\n";
  for (std::size_t p = 0; p < poses.size(); ++p)
    text += fmt::format("{},{},{},{},{},{}\n", numbers[p], poses[p].angles.phi_deg, poses[p].angles.theta_deg,
                        poses[p].angles.psi_deg, poses[p].shift_v, poses[p].shift_u);
  return text;
}

void fix_gauge(const std::vector<EulerAngles>& nominal, std::vector<Pose>& poses) {
  const auto count = static_cast<double>(poses.size());
  for (int pass = 0; pass < 3; ++pass) {
    Vec3 mean = Vec3::Zero();
    for (std::size_t i = 0; i < poses.size(); ++i)
      mean +=
          rotation_vector(rotation_matrix(poses[i].angles) * rotation_matrix(nominal[i]).transpose()) / count;
    const Mat3 back = rotation_by(-mean);
    for (Pose& pose : poses) pose.angles = euler_angles(back * rotation_matrix(pose.angles), pose.angles);
  }
  // The volume displaced by t moves each image by the first two components of R^T t.
  Mat3 normal = Mat3::Zero();
  Vec3 right = Vec3::Zero();
  for (const Pose& pose : poses) {
    const Mat3 rotation = rotation_matrix(pose.angles);
    normal += rotation.col(0) * rotation.col(0).transpose() + rotation.col(1) * rotation.col(1).transpose();
    right += rotation.col(0) * pose.shift_u + rotation.col(1) * pose.shift_v;
  }
  // Views along one direction alone do not tell where along it the volume lies.
  normal.diagonal().array() += 1e-9 * count;
  const Vec3 t = normal.inverse() * right;
  for (Pose& pose : poses) {
    const Mat3 rotation = rotation_matrix(pose.angles);
    pose.shift_u -= rotation.col(0).dot(t);
    pose.shift_v -= rotation.col(1).dot(t);
  }
}

EulerAngles euler_angles(const Mat3& r, const EulerAngles& near) {
  const double theta = std::asin(std::clamp(-r(2, 0), -1.0, 1.0)) / kDegrees;
  const double phi = std::atan2(r(1, 0), r(0, 0)) / kDegrees, psi = std::atan2(r(2, 1), r(2, 2)) / kDegrees;
  const auto towards = [](double angle, double goal) { return goal + std::remainder(angle - goal, 360.0); };
  const auto nearest = [&](double f, double t, double s) {
    return EulerAngles{towards(f, near.phi_deg), towards(t, near.theta_deg), towards(s, near.psi_deg)};
  };
  const EulerAngles one = nearest(phi, theta, psi), other = nearest(phi + 180, 180 - theta, psi + 180);
  const auto distance = [&](const EulerAngles& a) {
    return std::hypot(a.phi_deg - near.phi_deg, a.theta_deg - near.theta_deg, a.psi_deg - near.psi_deg);
  };
  return distance(one) <= distance(other) ? one : other;
}

}  // namespace aetos::tomography
