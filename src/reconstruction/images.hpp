#pragma once

#include "aetos/parallel/communicator.hpp"
#include "decomposition.hpp"
#include "plan.hpp"

namespace aetos::reconstruction {

/// The projections that a rank works on, in the projectors' layout, and what was mended in all of them.
struct Images {
  Array<float, 3> measured;             ///< (projection, u, padded v)
  std::size_t interpolated_pixels = 0;  ///< NaN, infinite and hot pixels replaced, on all ranks
};

/// Moves what a projection (u, padded v) of `rows` rows shows.
void shift_projection(View<float, 2> image, std::size_t rows, const imaging::Shift& shift);

/// Reads the images' rows that this rank holds. Collective. Throws InputError with projection and pixel where
/// one is not finite, unless `request.interpolate_bad_pixels`: then those, and hot pixels, become the median
/// of their neighbours. Then images are moved by the plan's shifts, where it has any.
Images load_images(const Communicator& comm, const Request& request, const Plan& plan,
                   const Decomposition& mine);

}  // namespace aetos::reconstruction
