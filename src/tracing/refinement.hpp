#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/multislice/options.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/partition.hpp"
#include "aetos/parallel/stop.hpp"
#include "aetos/tomography/pose.hpp"
#include "aetos/tracing/projection_model.hpp"

/// Moving atoms until their projections fit the measured images.
namespace aetos::tracing {

/// A measured series: every rank knows the rotations and holds the images that it computes.
struct MeasuredImages {
  std::vector<std::size_t> numbers;  ///< of the images in the file
  std::vector<tomography::Pose> poses;
  std::vector<Sight> sight;  ///< of `poses`
  std::size_t ny = 0, nx = 0;
  double pixel_A = 1;
  double counts_per_unit = 0;  ///< Poisson counts per unit of image value; 0 = unknown noise
  Range mine;                  ///< projections held here
  Array<float, 3> values;      ///< (mine, y, x)
  Array<float, 3> weight;      ///< of each pixel in the misfit, the same shape; empty: 1

  std::vector<bool> left_out;  ///< of each projection: whether the misfit skips it; empty: none is

  bool skips(std::size_t projection) const { return !left_out.empty() && left_out[projection]; }
  View<const float, 2> weight_of(std::size_t i) const {
    return weight.size() > 0 ? View<const float, 2>(weight.view()[i]) : View<const float, 2>();
  }
};

/// Noise-free images of atoms, and where each of them was at each tilt, about its place (empty: there).
struct ImagesOfAtoms {
  MeasuredImages images;
  std::vector<std::vector<Vec3>> displacement;
};

class EvaluationJournal;

struct RefineOptions {
  double maximum_move_A = 1.0;  ///< per axis, in each round
  double start_sigma_A = 0.4;
  /// Atoms below this share of the lightest species' median intensity are dropped.
  double lowest_share = 0.5;
  double apart_A = 2;         ///< no atom is nearer than this to a brighter one
  int iterations = 80;        ///< at most, in each round
  int rounds = 6;             ///< at most, of adding and dropping atoms
  bool refine_poses = false;  ///< of the images, with the atoms
  std::uint64_t seed = 0;     ///< of the search for the species' intensities
  config::PeakShapeChoice shape = config::PeakShapeChoice::automatic;
  multislice::MicroscopeOptions microscope;  ///< for the probe's shape
  /// Noise-free images of atoms at these places and of these species, on the grid of the measured ones;
  /// collective. Empty: the model's own errors stay in the positions.
  std::function<ImagesOfAtoms(const std::vector<Vec3>&, const std::vector<std::size_t>&)> images_of = {};
  EvaluationJournal* journal = nullptr;  ///< on the root, for a refinement that outlives a kill
};

/// What one round did.
struct RefineRound {
  std::size_t atoms = 0, added = 0, dropped = 0;
  std::size_t reclassified = 0;  ///< of another species than before
  double misfit = 0;
  int iterations = 0;
};

struct Refinement {
  std::vector<Vec3> position;               ///< of the atoms that stay
  std::vector<double> intensity;            ///< relative to the median of all atoms
  std::vector<std::size_t> species_of;      ///< by intensities before they lean on their species'
  std::vector<double> species_probability;  ///< of each atom's species
  bool told_apart = true;                   ///< whether the intensities tell the species apart
  std::vector<double> sigma_A;              ///< width s_k, per atom
  std::vector<double> crlb_A;               ///< Cramér-Rao bound of the 3D position, per atom
  std::vector<Vec3> error_A;                ///< estimated standard error along x, y, z, per atom
  Vec3 error_over_bound =
      Vec3::Zero();               ///< by which the bounds were scaled to errors, per axis; 0: not known
  std::vector<std::size_t> kept;  ///< indices into the atoms given; kNew: found in the residuals
  std::vector<std::size_t> weak, too_close;    ///< indices of those dropped
  bool of_probe = false;                       ///< whether the peaks are convolved with the probe
  double growth = 0, fading = 0;               ///< c of S = s² + c z'², f of 1 + f z'
  double misfit_before = 0, misfit_after = 0;  ///< sums of squares over those of the images' own variation
  double bias_A = 0;  ///< rms over the atoms of what was taken off as the model's own error; 0: nothing was
  double chi_square = 0;  ///< mean of squared residuals over their variance; noise alone: 1
  int iterations = 0;
  std::vector<RefineRound> rounds;
  static constexpr std::size_t kNew = static_cast<std::size_t>(-1);
};

/// Refines positions, intensities, one width per species, growth and fading with depth, and where asked for
/// the poses of the images (PETSc TAO, BLMVM), weighted by the variance that the model predicts. Then, in
/// rounds until nothing changes, gives atoms the species that their intensities tell (classify), drops those
/// too weak to be one or too near to a brighter one, adds those that the residual images show
/// (find_missing_atoms), and refines again. At last it refines twice more, with every other projection: along
/// each axis the bounds are scaled until 68.3 % of the atoms' half differences lie within, which are the
/// errors. With `options.images_of`, how far refinement moves the atoms on noise-free images of them is the
/// bias of the model, and taken off (parametric bootstrap: Efron and Tibshirani, An Introduction to the
/// Bootstrap (1993), section 10.2). Each projection's part is computed whole by one rank and all are summed
/// in index order, so that the result has the same bits on any number of ranks. Throws Interrupted on all
/// ranks at a stop request. Collective.
Refinement refine(const Communicator& comm, const Stop& stop, MeasuredImages& images,
                  const std::vector<Vec3>& position, const std::vector<double>& intensity,
                  const std::vector<std::size_t>& species_of, std::size_t species,
                  const RefineOptions& options);

}  // namespace aetos::tracing
