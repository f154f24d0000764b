#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/tomography/projector.hpp"

/// Where a projection was taken from, refined against the volume that all projections gave.
namespace aetos::tomography {

/// The pose of one projection: its angles, and how far what it shows must be moved, in pixels, to lie where
/// the volume's projection does.
struct Pose {
  EulerAngles angles;
  double shift_u = 0, shift_v = 0;
};

/// A small change of a pose, as the beam's frame sees it: the specimen's rotation in radians about the axes
/// u, v and the beam, then its displacement along u and v in pixels.
using PoseStep = std::array<double, 5>;

struct PoseFit {
  PoseStep step{};
  PoseStep sigma{};  ///< standard errors by the residual's size; zero where nothing could be fitted
};

/// The step that brings the projection of `volume` nearest to `measured` (u, padded v) in the sense of least
/// squares, to first order, with the projection's scale free: one Gauss-Newton step. The derivatives come
/// from the projection and from that of the volume weighted by its depth. `blur_px` blurs all images first
/// (Gaussian sigma; 0 = none), which widens the range from which a step finds home.
class PoseFitter {
 public:
  PoseFitter(const Geometry& geometry, double blur_px);
  PoseFit fit(View<const float, 3> volume, const Pose& pose, View<const float, 2> measured);

 private:
  Geometry geometry_;  ///< of one projection at a time
  double blur_px_;
};

/// The pose after a step.
Pose moved(const Pose& pose, const PoseStep& step);

/// Takes away what no projection can tell, a rotation and a displacement of all of them together with the
/// volume: the mean of all rotations since `nominal` becomes nothing, and no displacement of the volume
/// lessens the shifts' squares.
void fix_gauge(const std::vector<EulerAngles>& nominal, std::vector<Pose>& poses);

/// The step that leads from one pose to another.
PoseStep step_between(const Pose& from, const Pose& to);

/// Root mean squares of the rotations in degrees and of the shifts in pixels that lead from some poses to
/// others.
std::pair<double, double> change_between(const std::vector<Pose>& from, const std::vector<Pose>& to);

/// CSV of poses: the number of the projection, its angles in degrees, how far its image is moved in pixels.
std::string pose_table(const std::vector<std::size_t>& numbers, const std::vector<Pose>& poses);

/// The angles of a rotation, of both sets that give it the one nearer to `near`.
EulerAngles euler_angles(const Mat3& rotation, const EulerAngles& near);

}  // namespace aetos::tomography
