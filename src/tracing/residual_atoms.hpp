#pragma once

#include <vector>

#include "aetos/tracing/projection_model.hpp"
#include "refinement.hpp"
#include "selection.hpp"

namespace aetos::tracing {

/// Width of the voxels that are searched for missing atoms, in Å: a pixel or a whole part of one, as wide as
/// an atom's own sigma at most.
double search_step_A(double pixel_A);

/// Places where the images show an atom that the model lacks, brightest first.
///
/// The residual images (measured less model) are correlated with the in-focus peak and summed over the
/// projections at every voxel of the ball that the atoms lie in: a matched filter. A local maximum that has
/// room beside every atom and every brighter maximum, and is not at one of the places that were `tried`
/// before, is a candidate if the intensity that fits the residuals there best, with the peak's true width at
/// each projection, is `share` of what the evidence asks for or more, and 3.5 of its standard deviations.
/// `fits`: scale and offset of every projection. The same on any number of ranks. Throws Interrupted on all
/// ranks at a stop request. Collective.
std::vector<Vec3> find_missing_atoms(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                                     const State& state, const std::vector<ImageFit>& fits,
                                     const Evidence& evidence, double share,
                                     const std::vector<Vec3>& tried = {});

}  // namespace aetos::tracing
