#pragma once

#include <array>
#include <memory>

#include "aetos/parallel/communicator.hpp"
#include "aetos/tomography/projector.hpp"

namespace aetos::reconstruction {

/// RESIRE's Fourier projector for any Euler angles, over ranks: each holds the volume's rows of its block
/// along y, and of the padded volume's spectrum the planes of its block along kz. Zeros of the padding are
/// neither transformed nor sent. A sample of a projection is computed whole by the rank that owns the plane
/// below it, which also holds the next one, and goes to the rank whose projection it is: no sum crosses
/// ranks, but for the two values of which a projection's border bins are the mean.
///
/// `forward` makes this rank's block of the projections and is collective; `back` reads all images, as
/// published, or is the exact adjoint and collective, too: then sums cross ranks.
std::unique_ptr<tomography::ProjectorPair> make_fourier_slabs(const Communicator& comm,
                                                              const tomography::Geometry& geometry,
                                                              const std::array<double, 3>& oversampling_zyx,
                                                              bool exact_adjoint);

}  // namespace aetos::reconstruction
