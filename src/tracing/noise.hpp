#pragma once

#include <Eigen/Dense>

#include <vector>

#include "distributed_misfit.hpp"
#include "refinement.hpp"
#include "state.hpp"

/// What the noise of the images leaves open about atoms.
namespace aetos::tracing {

/// Variance of every pixel of one image: Poisson's where the counts are known, else the mean squared
/// residual.
Array<double, 2> variance_of(const MeasuredImages& images, const Array<double, 2>& model,
                             const ImageFit& fit);

/// Mean over pixels of the squared residual in units of its variance, where that is not the floor.
/// Collective.
double chi_square(const Communicator& comm, const MeasuredImages& images, const State& state,
                  const std::vector<ImageFit>& fits);

/// The matrix of (x, y, z, I) whose upper triangle AtomProjector::add_fisher_information added up.
Eigen::Matrix4d information_matrix(const double* upper);

/// Cramér-Rao bounds of x, y and z in Å (lower bounds of the full ones, as neighbours are taken as known); 0
/// where the information leaves one open.
Vec3 position_bound(const Eigen::Matrix4d& information);

/// What the images and the prior tell of each atom's x, y, z and intensity, its neighbours taken as known.
/// Collective.
std::vector<Eigen::Matrix4d> information_of(const Communicator& comm, const MeasuredImages& images,
                                            const State& state, const std::vector<ImageFit>& fits,
                                            const IntensityPrior& prior);

/// How far the intensities of each species truly scatter: what they scatter by beyond their own bounds, and
/// at least 2 %.
IntensityPrior prior_of(const State& state, const std::vector<Eigen::Matrix4d>& information);

}  // namespace aetos::tracing
