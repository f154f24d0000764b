#include "refinement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/core/log.hpp"
#include "aetos/tracing/classify.hpp"
#include "comparable_images.hpp"
#include "distributed_misfit.hpp"
#include "noise.hpp"
#include "residual_atoms.hpp"
#include "selection.hpp"
#include "state.hpp"

namespace aetos::tracing {
namespace {

constexpr int kTrialIterations = 10;
constexpr int kHalfIterations = 40;
constexpr std::size_t kLeastProjections = 12;  // for halves that still tell all three coordinates
constexpr int kFirstIterations = 30;           // before the residuals tell what is missing
/// Of the intensity that an atom must have: while it is missing, others take over a part of it.
constexpr double kLeftInResiduals = 0.7;
/// The model errs by less; an atom that moves further on noise-free images was none.
constexpr double kLargestBias_A = 0.5;
constexpr double kMostTurn_rad = 0.1;  // of an image, in each round
/// What turns all images together deforms the atoms' positions with them, and settles slowly.
constexpr int kPosesTakeLonger = 3;

/// Steps that make the misfit about equally steep in every variable: for a Gaussian of width s the second
/// derivative to its position is I² / (2 s²) of that to its intensity, and all atoms add up in a shared
/// width.
struct Scaled {
  std::vector<double> start, step, lower, upper;
};

Scaled scaled_variables(const Parameters& at, const std::vector<double>& start, const RefineOptions& options,
                        double farthest_A, std::size_t images) {
  Scaled v;
  v.start = start;
  v.step.assign(at.size(), 1);
  v.lower.assign(at.size(), std::numeric_limits<double>::lowest());
  v.upper.assign(at.size(), std::numeric_limits<double>::max());
  const double s2 = start[at.width(0)], shared = 1 / std::sqrt(static_cast<double>(at.atoms));
  for (std::size_t a = 0; a < at.atoms; ++a) {
    for (std::size_t i = at.position(a); i < at.position(a) + 3; ++i) {
      v.step[i] = std::sqrt(2 * s2);
      v.lower[i] = -options.maximum_move_A / v.step[i];
      v.upper[i] = options.maximum_move_A / v.step[i];
    }
    v.lower[at.intensity(a)] = -start[at.intensity(a)];
  }
  for (std::size_t k = 0; k < at.species; ++k) {
    const std::size_t i = at.width(k);
    v.step[i] = s2 * shared;
    v.lower[i] = -0.75 * start[i] / v.step[i];
    v.upper[i] = 3 * start[i] / v.step[i];
  }
  const std::size_t c = at.growth();
  v.step[c] =
      s2 * shared / std::max(1.0, farthest_A * farthest_A / 5);  // 1/5: mean square of the depth in a ball
  v.lower[c] = -start[c] / v.step[c];
  v.upper[c] = s2 / (farthest_A * farthest_A + 1) * 10 / v.step[c];
  const std::size_t f = at.fading();
  v.step[f] = shared / std::max(1.0, farthest_A / std::sqrt(5.0));
  v.lower[f] = (-0.5 / (farthest_A + 1) - start[f]) / v.step[f];
  v.upper[f] = (0.5 / (farthest_A + 1) - start[f]) / v.step[f];
  // A shift moves all atoms, but in one image, and an image tells two of an atom's three coordinates.
  const double shift = std::sqrt(2 * s2) * shared * std::sqrt(2.0 / 3 * static_cast<double>(images));
  for (std::size_t t = 0; t < at.images; ++t)
    for (std::size_t i = 0; i < 5; ++i) {
      const bool turns = i < 3;
      const double most = turns ? kMostTurn_rad : options.maximum_move_A;
      const std::size_t p = at.pose(t) + i;
      v.step[p] = turns ? shift / std::max(1.0, farthest_A / std::sqrt(5.0)) : shift;
      v.lower[p] = -most / v.step[p];
      v.upper[p] = most / v.step[p];
    }
  return v;
}

Classes classes_of(const State& state, std::uint64_t seed) {
  const auto& at = state.model.layout;
  const auto first = state.parameters.begin() + static_cast<std::ptrdiff_t>(at.intensity(0));
  const std::vector<double> intensity(first, first + static_cast<std::ptrdiff_t>(at.atoms));
  return classify_locally(positions_of(state), intensity, at.species, seed);
}

/// Gives every atom the species that its intensity tells now; returns how many have another one than before.
std::size_t reclassify(State& state, std::uint64_t seed) {
  const auto& at = state.model.layout;
  if (at.species < 2) return 0;
  const Classes classes = classes_of(state, seed);
  std::size_t changed = 0;
  for (std::size_t a = 0; a < at.atoms; ++a) changed += classes.of[a] != state.model.species_of[a];
  state.model.species_of = classes.of;
  return changed;
}

struct Minimised : MinimiserResult {
  std::vector<PoseChange> poses;  ///< of every image, where they are refined
};

Minimised minimise(const Communicator& comm, const Stop& stop, const MeasuredImages& images, State& state,
                   const RefineOptions& options, const IntensityPrior& prior = {}, bool with_poses = false) {
  AtomModel model = state.model;
  if (with_poses) model.layout.images = images.sight.size();
  const Parameters& at = model.layout;
  std::vector<double> start = state.parameters;
  start.resize(at.size());
  DistributedMisfit misfit(comm, stop, images, model, prior);
  const Scaled v = scaled_variables(at, start, options, farthest_from_origin(state), images.sight.size());
  std::vector<double> x(v.start.size());
  MinimiserOptions how;
  how.iterations = options.iterations;
  if (with_poses) how.iterations *= kPosesTakeLonger, how.tolerance /= 100;
  Minimised result{misfit.minimise(v.start, v.step, x, v.lower, v.upper, how, options.journal), {}};
  const auto found = [&](std::size_t i) { return v.start[i] + v.step[i] * x[i]; };
  for (std::size_t i = 0; i < at.of_atoms(); ++i) state.parameters[i] = found(i);
  for (std::size_t t = 0; t < at.images; ++t) {
    PoseChange& change = result.poses.emplace_back();
    for (std::size_t i = 0; i < change.size(); ++i) change[i] = found(at.pose(t) + i);
  }
  return result;
}

/// As above; where asked for with the images' poses, which are turned and shifted by what was found.
Minimised minimise_with_poses(const Communicator& comm, const Stop& stop, MeasuredImages& images,
                              State& state, const RefineOptions& options, const IntensityPrior& prior = {}) {
  const auto result = minimise(comm, stop, images, state, options, prior, options.refine_poses);
  for (std::size_t t = 0; t < result.poses.size(); ++t) {
    tomography::PoseStep step = result.poses[t];
    step[3] /= images.pixel_A, step[4] /= images.pixel_A;
    tomography::Pose& pose = images.poses[t];
    pose = tomography::moved(pose, step);
    images.sight[t] = {rotation_matrix(pose.angles), -pose.shift_u * images.pixel_A,
                       -pose.shift_v * images.pixel_A};
  }
  return result;
}

/// Factors for x, y and z that make bounds to errors, from fits to every other projection. Collective.
Vec3 error_over_bound(const Communicator& comm, const Stop& stop, MeasuredImages& images, const State& state,
                      const std::vector<Vec3>& bounds, const IntensityPrior& prior, RefineOptions options) {
  options.iterations = kHalfIterations;
  std::array<State, 2> half{state, state};
  for (std::size_t h = 0; h < 2; ++h) {
    images.left_out.resize(images.sight.size());
    for (std::size_t t = 0; t < images.sight.size(); ++t) images.left_out[t] = t % 2 != h;
    (void)minimise(comm, stop, images, half[h], options, prior);
  }
  images.left_out.clear();
  Vec3 factors = Vec3::Zero();
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::vector<double> over;
    for (std::size_t a = 0; a < bounds.size(); ++a) {
      const std::size_t i = state.model.layout.position(a) + axis;
      const double bound = bounds[a](static_cast<Eigen::Index>(axis));
      if (bound > 0) over.push_back(std::abs(half[0].parameters[i] - half[1].parameters[i]) / 2 / bound);
    }
    if (over.empty()) continue;
    const auto at = over.begin() + static_cast<std::ptrdiff_t>(0.6827 * static_cast<double>(over.size()));
    std::nth_element(over.begin(), at, over.end());
    factors(static_cast<Eigen::Index>(axis)) = *at;
  }
  return factors;
}

/// What s² may fall to in one minimisation.
double least_square(const State& state) {
  const auto& at = state.model.layout;
  double least = std::numeric_limits<double>::max();
  for (std::size_t k = 0; k < at.species; ++k) least = std::min(least, state.parameters[at.width(k)] / 4);
  return least;
}

/// Peaks for atoms as far out as those of the state and what they may move.
std::shared_ptr<const PeakShape> shape_for(const State& state, const RefineOptions& options, bool probe) {
  const double depth = farthest_from_origin(state) + 3 * options.maximum_move_A;
  const double least = least_square(state);
  return std::make_shared<const PeakShape>(probe ? PeakShape::probe(options.microscope, depth, least)
                                                 : PeakShape::gaussian(depth, least));
}

/// The state with the better of the two shapes, after a few steps with each if it is to be found out.
State with_shape(const Communicator& comm, const Stop& stop, const MeasuredImages& images, State state,
                 RefineOptions options) {
  State probe = state;
  state.model.shape = shape_for(state, options, false);
  // The depth about an entrance face, which lies elsewhere at every tilt, is not known here.
  const bool hopeless = options.microscope.focus_reference == multislice::FocusReference::entrance;
  if (options.shape == config::PeakShapeChoice::gaussian ||
      (options.shape == config::PeakShapeChoice::automatic && hopeless))
    return state;
  for (std::size_t k = 0; k < probe.model.layout.species; ++k)
    probe.parameters[probe.model.layout.width(k)] *= 0.7;  // the probe does the rest
  probe.model.shape = shape_for(probe, options, true);
  if (options.shape == config::PeakShapeChoice::probe) return probe;
  options.iterations = kTrialIterations;
  const double without = minimise(comm, stop, images, state, options).last,
               with = minimise(comm, stop, images, probe, options).last;
  log::info("trace: misfit after {} iterations: {:.6g} with Gaussian peaks, {:.6g} with the probe's",
            kTrialIterations, without, with);
  return with < without ? probe : state;
}

/// Tables as fine as the widths now ask for: those that the volume's peaks began with may be far off.
void adapt_shape(State& state, const RefineOptions& options) {
  const double finer = least_square(state) / state.model.shape->least_square();
  if (finer > 2 || finer < 0.5) state.model.shape = shape_for(state, options, state.model.shape->of_probe());
}

/// Scale and offset of every projection. Collective.
std::vector<ImageFit> fits_of(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                              const State& state) {
  end_if_stopped(comm, stop);
  DistributedMisfit misfit(comm, stop, images, state.model);
  std::vector<double> slope(state.parameters.size());
  (void)misfit.evaluate(state.parameters, slope);
  return misfit.fits();
}

/// Puts the weights that the state's model predicts into the images. Collective.
void weigh(const Communicator& comm, const Stop& stop, MeasuredImages& images, const State& state) {
  images.weight = {};
  const auto fits = fits_of(comm, stop, images, state);
  Array<float, 3> weight(images.values.shape());
  const AtomProjector atoms(state.model, state.parameters);
  for (std::size_t t = 0; t < images.mine.size(); ++t) {
    const std::size_t tilt = images.mine.begin + t;
    const auto variance = variance_of(
        images, atoms.project(images.sight[tilt], {images.ny, images.nx}, images.pixel_A), fits[tilt]);
    for (std::size_t i = 0; i < variance.size(); ++i)
      weight[t].data()[i] = static_cast<float>(1 / variance.data()[i]);
  }
  images.weight = std::move(weight);
}

/// Takes off the positions how far refinement moves these atoms on noise-free images of them; returns its
/// rms. Collective.
double remove_bias(const Communicator& comm, const Stop& stop, const MeasuredImages& images, State& state,
                   const RefineOptions& options, const IntensityPrior& prior) {
  ImagesOfAtoms simulated = options.images_of(positions_of(state), state.model.species_of);
  make_comparable(simulated, images, state);
  simulated.images.weight = images.weight.clone();
  State moved = state;
  (void)minimise(comm, stop, simulated.images, moved, options, prior);
  const auto from = positions_of(state), to = positions_of(moved);
  double square = 0;
  for (std::size_t a = 0; a < from.size(); ++a) {
    const Vec3 bias = to[a] - from[a];
    if (bias.norm() > kLargestBias_A) continue;
    square += bias.squaredNorm();
    for (std::size_t i = 0; i < 3; ++i)
      state.parameters[state.model.layout.position(a) + i] -= bias(static_cast<Eigen::Index>(i));
  }
  return std::sqrt(square / static_cast<double>(from.size()));
}

}  // namespace

Refinement refine(const Communicator& comm, const Stop& stop, MeasuredImages& images,
                  const std::vector<Vec3>& position, const std::vector<double>& intensity,
                  const std::vector<std::size_t>& species_of, std::size_t species,
                  const RefineOptions& options) {
  Refinement result;
  result.kept.resize(position.size());
  for (std::size_t a = 0; a < position.size(); ++a) result.kept[a] = a;
  if (position.empty()) return result;
  State state = starting_state(position, intensity, species_of, species, options.start_sigma_A);
  state.model.shape = shape_for(state, options, false);
  double variation = 1;
  {
    DistributedMisfit misfit(comm, stop, images, state.model);
    std::vector<double> slope(state.parameters.size());
    result.misfit_before = misfit.evaluate(state.parameters, slope);
    variation = misfit.variation();
  }
  state = with_shape(comm, stop, images, std::move(state), options);
  result.of_probe = state.model.shape->of_probe();

  bool changed = true;
  std::vector<Vec3> tried;
  double variance = 0;  // of intensities, by the first atoms: it changes little
  for (int round = 0; changed && round <= options.rounds; ++round) {
    RefineRound now;
    RefineOptions how = options;
    if (round == 0) how.iterations = std::min(how.iterations, kFirstIterations);
    const auto fitted = minimise_with_poses(comm, stop, images, state, how);
    adapt_shape(state, options);
    weigh(comm, stop, images, state);
    now.iterations = fitted.iterations;
    now.reclassified = reclassify(state, options.seed);
    if (round == 0)
      variance =
          intensity_variance(information_of(comm, images, state, fits_of(comm, stop, images, state), {}));
    const Evidence evidence =
        evidence_of(state, result.kept, variance, options.lowest_share, options.apart_A);
    const auto verdict = judge(state, evidence);
    std::vector<bool> keep;
    for (const Verdict v : verdict) keep.push_back(v == Verdict::stays);
    now.dropped = static_cast<std::size_t>(std::count(keep.begin(), keep.end(), false));
    if (now.dropped > 0) {
      const auto place = positions_of(state);
      state = subset(state, keep);
      std::vector<std::size_t> kept;
      for (std::size_t a = 0; a < keep.size(); ++a) {
        if (!keep[a] && round > 0) tried.push_back(place[a]);
        if (keep[a])
          kept.push_back(result.kept[a]);
        else if (result.kept[a] != Refinement::kNew)
          (verdict[a] == Verdict::weak ? result.weak : result.too_close).push_back(result.kept[a]);
      }
      result.kept = std::move(kept);
    }
    if (round < options.rounds) {
      const auto missing = find_missing_atoms(comm, stop, images, state, fits_of(comm, stop, images, state),
                                              evidence, kLeftInResiduals, tried);
      now.added = missing.size();
      add_atoms(state, missing, evidence.least);
      result.kept.resize(state.model.layout.atoms, Refinement::kNew);
    }
    now.atoms = state.model.layout.atoms;
    now.misfit = fitted.last;
    changed = now.added + now.dropped + now.reclassified > 0 || round == 0;
    result.iterations += now.iterations;
    log::info("trace: round {}: {} iterations, misfit {:.6g}, {} atoms dropped, {} added{}", round + 1,
              now.iterations, fitted.last, now.dropped, now.added,
              species > 1 ? fmt::format(", {} of another species", now.reclassified) : "");
    result.rounds.push_back(now);
  }

  const auto& at = state.model.layout;
  const Classes classes = classes_of(state, options.seed);
  state.model.species_of = result.species_of = classes.of;
  result.species_probability = classes.probability;
  result.told_apart = classes.told_apart;
  // Which atoms there are is settled; now each may lean on what the others of its species are like.
  const IntensityPrior prior =
      prior_of(state, information_of(comm, images, state, fits_of(comm, stop, images, state), {}));
  const auto last = minimise_with_poses(comm, stop, images, state, options, prior);
  result.iterations += last.iterations;
  log::info("trace: intensities spread by {:.3g} of their mean; {} iterations with this prior",
            prior.spread[0], last.iterations);
  const auto fits = fits_of(comm, stop, images, state);
  for (const ImageFit& fit : fits)
    result.misfit_after += fit.mean_square * static_cast<double>(images.ny * images.nx) / variation;
  result.chi_square = chi_square(comm, images, state, fits);
  std::vector<Vec3> bounds;
  for (const auto& information : information_of(comm, images, state, fits, prior))
    bounds.push_back(position_bound(information));
  if (images.sight.size() >= kLeastProjections)
    result.error_over_bound = error_over_bound(comm, stop, images, state, bounds, prior, options);
  for (Vec3& b : bounds) {
    result.crlb_A.push_back(b.norm());
    b = b.cwiseProduct(result.error_over_bound);
  }
  result.error_A = std::move(bounds);
  if (options.images_of) {
    result.bias_A = remove_bias(comm, stop, images, state, options, prior);
    log::info("trace: {:.2f} pm rms of the model's own error taken off", 100 * result.bias_A);
  }
  result.position = positions_of(state);
  for (std::size_t a = 0; a < at.atoms; ++a) {
    result.intensity.push_back(state.parameters[at.intensity(a)]);
    result.sigma_A.push_back(std::sqrt(state.parameters[at.width(state.model.species_of[a])]));
  }
  const double typical = median_of(result.intensity);
  for (double& i : result.intensity) i /= typical;
  result.growth = state.parameters[at.growth()];
  result.fading = state.parameters[at.fading()];
  return result;
}

}  // namespace aetos::tracing
