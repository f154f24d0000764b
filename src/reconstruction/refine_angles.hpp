#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "aetos/parallel/run_context.hpp"
#include "aetos/tomography/pose.hpp"
#include "plan.hpp"

namespace aetos::reconstruction {

/// What the refinement of angles and shifts found.
struct RefinedPoses {
  std::vector<tomography::Pose> poses;  ///< of the kept projections
  nlohmann::json summary;
};

/// Refines the pose of every kept projection: rounds of a quick reconstruction (ordered subsets, real space)
/// and one Gauss-Newton step of each projection against it, until the steps are small or the rounds are used
/// up. A rotation and displacement of all together is held fixed. At the end changes are shrunk towards the
/// given angles by what noise alone would have made of them. Rounds done are safe in `context.work`.
/// Collective; the same bits on any number of ranks. Throws Interrupted.
RefinedPoses refine_poses(const RunContext& context, const Request& request, const Plan& plan);

/// Passes over all projections that so many rounds take, at most.
int most_refinement_passes(int rounds);

/// The plan with its projections in these poses.
Plan with_poses(const Plan& plan, const std::vector<tomography::Pose>& poses);

/// Writes the images that were reconstructed from, moved by their shifts and with their angles as refined, as
/// a tilt series in the volume's frame, and the poses as a table. Collective.
void write_refined_series(const RunContext& context, const Request& request, const Plan& plan,
                          const std::vector<tomography::Pose>& poses, const std::filesystem::path& series,
                          const std::filesystem::path& table);

}  // namespace aetos::reconstruction
