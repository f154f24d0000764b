#include "aetos/core/geometry.hpp"

#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos {
namespace {

struct SinCos {
  double sine, cosine;
};

/// Exact at multiples of 90 degrees, so that a quarter turn leaves no rounding in the coordinates.
SinCos sin_cos_deg(double degrees) {
  const double turn = std::remainder(degrees, 360.0);
  if (turn == 0) return {0, 1};
  if (turn == 90) return {1, 0};
  if (turn == -90) return {-1, 0};
  if (std::abs(turn) == 180) return {0, -1};
  return {std::sin(radians(turn)), std::cos(radians(turn))};
}

}  // namespace

Mat3 rotation_matrix(const EulerAngles& angles) {
  const auto [sz, cz] = sin_cos_deg(angles.phi_deg);
  const auto [sy, cy] = sin_cos_deg(angles.theta_deg);
  const auto [sx, cx] = sin_cos_deg(angles.psi_deg);
  Mat3 rz, ry, rx;
  rz << cz, -sz, 0, sz, cz, 0, 0, 0, 1;
  ry << cy, 0, sy, 0, 1, 0, -sy, 0, cy;
  rx << 1, 0, 0, 0, cx, -sx, 0, sx, cx;
  return rz * ry * rx;
}

}  // namespace aetos
