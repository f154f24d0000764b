#pragma once

#include <vector>

#include "aetos/tracing/projection_model.hpp"
#include "refinement.hpp"
#include "state.hpp"

namespace aetos::tracing {

/// Places where the images show an atom that the model lacks, brightest first.
///
/// The residual images (measured less model) are correlated with the in-focus peak and summed over the
/// projections at every voxel, one pixel wide, of the ball that the atoms lie in: a matched filter. A local
/// maximum further than `apart_A` from every atom and every brighter maximum, and not at one of the places
/// that were `tried` before, is a candidate if the intensity that fits the residuals there best, with the
/// peak's true width at each projection, is `least` or more, and 3.5 of its standard deviations. `fits`:
/// scale and offset of every projection. The same on any number of ranks. Collective.
std::vector<Vec3> find_missing_atoms(const Communicator& comm, const MeasuredImages& images,
                                     const State& state, const std::vector<ImageFit>& fits, double apart_A,
                                     double least, const std::vector<Vec3>& tried = {});

}  // namespace aetos::tracing
