#pragma once

#include <Eigen/Core>

/// 3D vectors and the rotation of a projection. Right-handed axes, electrons travel towards +z.
namespace aetos {

using Vec2 = Eigen::Vector2d;
using Vec3 = Eigen::Vector3d;
using Mat3 = Eigen::Matrix3d;

/// Euler angles of a projection in degrees, the convention of the public RESIRE and GENFIRE codes.
struct EulerAngles {
  double phi_deg = 0, theta_deg = 0, psi_deg = 0;
  friend bool operator==(const EulerAngles&, const EulerAngles&) = default;
};

/// R = Rz(phi) Ry(theta) Rx(psi), each a right-handed active rotation. Right angles and zero are exact.
Mat3 rotation_matrix(const EulerAngles& angles);

/// R^T r: a point of the specimen in the frame of the beam. The first two components are the place (u, v) on the
/// detector, the third runs along the beam.
inline Vec3 to_beam_frame(const Mat3& rotation, const Vec3& r) { return rotation.transpose() * r; }

/// Index of the rotation centre on an axis of n pixels.
constexpr std::size_t centre_index(std::size_t n) { return n / 2; }

}  // namespace aetos
