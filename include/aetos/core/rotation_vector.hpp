#pragma once

#include <Eigen/Geometry>

#include "aetos/core/geometry.hpp"

/// Rotations as axis times angle, in radians.
namespace aetos {

inline Mat3 rotation_by(const Vec3& turn_rad) {
  const double angle = turn_rad.norm();
  return angle > 0 ? Eigen::AngleAxisd(angle, turn_rad / angle).toRotationMatrix() : Mat3::Identity();
}

inline Vec3 rotation_vector(const Mat3& rotation) {
  const Eigen::AngleAxisd turn(rotation);
  return turn.angle() * turn.axis();
}

}  // namespace aetos
