#pragma once

#include <cstddef>
#include <vector>

#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/partition.hpp"
#include "aetos/parallel/stop.hpp"
#include "aetos/tracing/projection_model.hpp"

/// Moving atoms until their projections fit the measured images.
namespace aetos::tracing {

/// A measured series: every rank knows the rotations and holds the images that it computes.
struct MeasuredImages {
  std::vector<Mat3> rotation;
  std::size_t ny = 0, nx = 0;
  double pixel_A = 1;
  double counts_per_unit = 0;  ///< Poisson counts per unit of image value; 0 = unknown noise
  Range mine;                  ///< projections held here
  Array<float, 3> values;      ///< (mine, y, x)
};

struct RefineOptions {
  double maximum_move_A = 1.0;  ///< per axis
  double start_sigma_A = 0.4;
  double lowest_share = 0.5;  ///< atoms of an intensity below this share of their species' median are dropped
  int iterations = 80;
};

struct Refinement {
  std::vector<Vec3> position;                  ///< of the atoms that stay
  std::vector<double> intensity;               ///< relative to the median of all atoms
  std::vector<double> sigma_A;                 ///< width in the focus plane, per atom
  std::vector<double> crlb_A;                  ///< Cramér-Rao bound of the 3D position, per atom
  std::vector<std::size_t> kept;               ///< indices into the atoms given
  double growth = 0;                           ///< c of S = s² + c z'²
  double misfit_before = 0, misfit_after = 0;  ///< sums of squares over those of the images' own variation
  int iterations = 0;
};

/// Refines positions, intensities, one width per species and the growth with depth (PETSc TAO, BLMVM), drops
/// atoms that turn out too weak, and refines what stays once more. Each projection's part is computed whole
/// by one rank and all are summed in index order, so that the result has the same bits on any number of
/// ranks. Throws Interrupted on all ranks at a stop request. Collective.
Refinement refine(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                  const std::vector<Vec3>& position, const std::vector<double>& intensity,
                  const std::vector<std::size_t>& species_of, std::size_t species,
                  const RefineOptions& options);

}  // namespace aetos::tracing
