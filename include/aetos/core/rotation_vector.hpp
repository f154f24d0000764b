#pragma once

#include <Eigen/Geometry>

#include "aetos/core/geometry.hpp"

/// Rotations as axis times angle, in radians.
namespace aetos {

inline Mat3 rotation_by(const Vec3& turn_rad) {
  const double angle = turn_rad.norm();
  return angle > 0 ? Eigen::AngleAxisd(angle, turn_rad / angle).toRotationMatrix() : Mat3::Identity();
}

/// J of rotation_by(w + d) = rotation_by(J d) rotation_by(w) for small d (Barfoot, State Estimation for
/// Robotics (2017), eq. 7.77).
inline Mat3 left_jacobian(const Vec3& turn_rad) {
  const double angle = turn_rad.norm(), square = angle * angle;
  Mat3 cross;
  cross << 0, -turn_rad.z(), turn_rad.y(), turn_rad.z(), 0, -turn_rad.x(), -turn_rad.y(), turn_rad.x(), 0;
  const bool small = angle < 1e-3;
  const double first = small ? 0.5 - square / 24 : (1 - std::cos(angle)) / square,
               second = small ? 1.0 / 6 - square / 120 : (angle - std::sin(angle)) / (square * angle);
  return Mat3::Identity() + first * cross + second * cross * cross;
}

inline Vec3 rotation_vector(const Mat3& rotation) {
  const Eigen::AngleAxisd turn(rotation);
  return turn.angle() * turn.axis();
}

}  // namespace aetos
