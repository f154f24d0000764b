#include "refinement.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/core/log.hpp"
#include "aetos/core/median.hpp"
#include "distributed_misfit.hpp"
#include "residual_atoms.hpp"

namespace aetos::tracing {
namespace {

constexpr int kTrialIterations = 10;
constexpr double kLeastSpread = 0.02;
constexpr std::size_t kLeastAtoms = 20;  // of a species, for a spread
constexpr int kHalfIterations = 40;
constexpr std::size_t kLeastProjections = 12;  // for halves that still tell all three coordinates
constexpr int kFirstIterations = 30;           // before the residuals tell what is missing

double median_of(std::vector<double> values) {
  return values.empty() ? 0 : upper_median(values);
}

/// Steps that make the misfit about equally steep in every variable: for a Gaussian of width s the second
/// derivative to its position is I² / (2 s²) of that to its intensity, and all atoms add up in a shared
/// width.
struct Scaled {
  std::vector<double> start, step, lower, upper;
};

Scaled scaled_variables(const Parameters& at, const std::vector<double>& start, const RefineOptions& options,
                        double farthest_A) {
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
  return v;
}

struct State {
  AtomModel model;
  std::vector<double> parameters;
};

/// The state without the atoms for which `keep` is false.
State subset(const State& state, const std::vector<bool>& keep) {
  const auto& from = state.model.layout;
  State out;
  for (std::size_t a = 0; a < from.atoms; ++a)
    if (keep[a]) out.model.species_of.push_back(state.model.species_of[a]);
  out.model.layout = {out.model.species_of.size(), from.species};
  const auto& to = out.model.layout;
  out.parameters.resize(to.size());
  for (std::size_t a = 0, b = 0; a < from.atoms; ++a) {
    if (!keep[a]) continue;
    for (std::size_t i = 0; i < 3; ++i)
      out.parameters[to.position(b) + i] = state.parameters[from.position(a) + i];
    out.parameters[to.intensity(b++)] = state.parameters[from.intensity(a)];
  }
  for (std::size_t k = 0; k < from.species; ++k)
    out.parameters[to.width(k)] = state.parameters[from.width(k)];
  out.parameters[to.growth()] = state.parameters[from.growth()];
  out.parameters[to.fading()] = state.parameters[from.fading()];
  out.model.shape = state.model.shape;
  return out;
}

std::vector<bool> bright_enough(const State& state, double share) {
  const auto& at = state.model.layout;
  std::vector<std::vector<double>> of_species(at.species);
  for (std::size_t a = 0; a < at.atoms; ++a)
    of_species[state.model.species_of[a]].push_back(state.parameters[at.intensity(a)]);
  std::vector<double> least;
  for (auto& values : of_species) least.push_back(share * median_of(std::move(values)));
  std::vector<bool> keep(at.atoms);
  for (std::size_t a = 0; a < at.atoms; ++a)
    keep[a] = state.parameters[at.intensity(a)] >= least[state.model.species_of[a]];
  return keep;
}

double farthest_from_origin(const State& state) {
  double farthest = 0;
  for (std::size_t a = 0; a < state.model.layout.atoms; ++a) {
    const double* r = state.parameters.data() + state.model.layout.position(a);
    farthest = std::max(farthest, Vec3(r[0], r[1], r[2]).norm());
  }
  return farthest;
}

MinimiserResult minimise(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                         State& state, const RefineOptions& options, const IntensityPrior& prior = {}) {
  DistributedMisfit misfit(comm, stop, images, state.model, prior);
  const Scaled v =
      scaled_variables(state.model.layout, state.parameters, options, farthest_from_origin(state));
  std::vector<double> x(v.start.size());
  MinimiserOptions how;
  how.iterations = options.iterations;
  const auto result = misfit.minimise(v.start, v.step, x, v.lower, v.upper, how);
  for (std::size_t i = 0; i < x.size(); ++i) state.parameters[i] = v.start[i] + v.step[i] * x[i];
  return result;
}

double typical_intensity(const State& state) {
  const auto& at = state.model.layout;
  const auto first = state.parameters.begin() + static_cast<std::ptrdiff_t>(at.intensity(0));
  return median_of({first, first + static_cast<std::ptrdiff_t>(at.atoms)});
}

/// Empty background has a little variance too: this share of the image's mean squared residual is a floor.
constexpr double kVarianceFloor = 0.1;

/// Variance of every pixel of one image: Poisson's where the counts are known, else the mean squared
/// residual.
Array<double, 2> variance_of(const MeasuredImages& images, const Array<double, 2>& model,
                             const ImageFit& fit) {
  Array<double, 2> variance(model.shape());
  const double mean = std::max(fit.mean_square, 1e-300);
  for (std::size_t i = 0; i < model.size(); ++i) {
    const double value = fit.scale * model.data()[i] + fit.offset;
    variance.data()[i] =
        images.counts_per_unit > 0 ? std::max(value / images.counts_per_unit, kVarianceFloor * mean) : mean;
  }
  return variance;
}

/// Mean over pixels of the squared residual in units of its variance, where that is not the floor.
/// Collective.
double chi_square(const Communicator& comm, const MeasuredImages& images, const State& state,
                  const std::vector<ImageFit>& fits) {
  const AtomProjector atoms(state.model, state.parameters);
  std::vector<double> mine;
  for (std::size_t t = 0; t < images.mine.size(); ++t) {
    const ImageFit& fit = fits[images.mine.begin + t];
    const auto model =
        atoms.project(images.rotation[images.mine.begin + t], {images.ny, images.nx}, images.pixel_A);
    const auto variance = variance_of(images, model, fit);
    double sum = 0, n = 0;
    for (std::size_t i = 0; i < model.size(); ++i) {
      if (images.counts_per_unit > 0 && variance.data()[i] <= kVarianceFloor * fit.mean_square) continue;
      const double residual =
          static_cast<double>(images.values[t].data()[i]) - fit.scale * model.data()[i] - fit.offset;
      sum += residual * residual / variance.data()[i], n += 1;
    }
    mine.push_back(sum), mine.push_back(n);
  }
  double sum = 0, n = 0;
  const auto all = comm.all_gather(std::span<const double>(mine));
  for (std::size_t i = 0; i + 1 < all.size(); i += 2) sum += all[i], n += all[i + 1];
  return n > 0 ? sum / n : 0;
}

/// What the images and the prior tell of each atom's x, y, z and intensity, its neighbours taken as known.
/// Collective.
std::vector<Eigen::Matrix4d> information_of(const Communicator& comm, const MeasuredImages& images,
                                            const State& state, const std::vector<ImageFit>& fits,
                                            const IntensityPrior& prior) {
  const std::size_t n = state.model.layout.atoms, record = 10 * n;
  std::vector<double> mine(images.mine.size() * record);
  const AtomProjector atoms(state.model, state.parameters);
  for (std::size_t t = 0; t < images.mine.size(); ++t) {
    const std::size_t tilt = images.mine.begin + t;
    const auto variance = variance_of(
        images, atoms.project(images.rotation[tilt], {images.ny, images.nx}, images.pixel_A), fits[tilt]);
    atoms.add_fisher_information(images.rotation[tilt], fits[tilt].scale, variance, images.pixel_A,
                                 {mine.data() + t * record, record});
  }
  const auto all = comm.all_gather(std::span<const double>(mine));
  std::vector<double> sum(record);
  for (std::size_t i = 0; i < all.size(); ++i) sum[i % record] += all[i];
  std::vector<Eigen::Matrix4d> information(n);
  const double typical = typical_intensity(state);
  for (std::size_t a = 0; a < n; ++a) {
    const double* at = sum.data() + 10 * a;
    for (Eigen::Index i = 0; i < 4; ++i)
      for (Eigen::Index j = i; j < 4; ++j) information[a](i, j) = information[a](j, i) = *at++;
    if (!prior.spread.empty())
      information[a](3, 3) += std::pow(prior.spread[state.model.species_of[a]] * typical, -2);
  }
  return information;
}

/// Cramér-Rao bounds of each atom's x, y and z (lower bounds of the full ones, as neighbours are taken as
/// known).
std::vector<Vec3> position_bounds(const std::vector<Eigen::Matrix4d>& information) {
  std::vector<Vec3> bounds(information.size(), Vec3::Zero());
  for (std::size_t a = 0; a < information.size(); ++a) {
    const Eigen::Matrix4d covariance = information[a].inverse();
    const Vec3 square = covariance.diagonal().head<3>();
    if (square.allFinite() && square.minCoeff() > 0) bounds[a] = square.cwiseSqrt();
  }
  return bounds;
}

/// How far the intensities of a species truly scatter: what they scatter by beyond their own bounds, and at
/// least 2 %.
IntensityPrior prior_of(const State& state, const std::vector<Eigen::Matrix4d>& information) {
  const auto& at = state.model.layout;
  IntensityPrior prior;
  for (std::size_t k = 0; k < at.species; ++k) {
    std::vector<double> value, bound, distance;
    for (std::size_t a = 0; a < at.atoms; ++a) {
      if (state.model.species_of[a] != k) continue;
      value.push_back(state.parameters[at.intensity(a)]);
      const Eigen::Matrix4d covariance = information[a].inverse();
      bound.push_back(covariance(3, 3));
    }
    const double middle = median_of(value), noise = median_of(bound);
    for (const double v : value) distance.push_back(std::abs(v - middle));
    const double spread = 1.4826 * median_of(distance);  // of a normal distribution with this median distance
    const bool few = value.size() < kLeastAtoms || !(middle > 0);
    const double beyond = few ? 1 : std::sqrt(std::max(0.0, spread * spread - noise)) / middle;
    prior.spread.push_back(std::max(beyond, kLeastSpread));
  }
  return prior;
}

/// Factors for x, y and z that make bounds to errors, from fits to every other projection. Collective.
Vec3 error_over_bound(const Communicator& comm, const Stop& stop, MeasuredImages& images, const State& state,
                      const std::vector<Vec3>& bounds, const IntensityPrior& prior, RefineOptions options) {
  options.iterations = kHalfIterations;
  std::array<State, 2> half{state, state};
  for (std::size_t h = 0; h < 2; ++h) {
    images.left_out.resize(images.rotation.size());
    for (std::size_t t = 0; t < images.rotation.size(); ++t) images.left_out[t] = t % 2 != h;
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

State starting_state(const std::vector<Vec3>& position, const std::vector<double>& intensity,
                     const std::vector<std::size_t>& species_of, std::size_t species, double sigma_A) {
  State state;
  state.model = {{position.size(), species}, species_of, nullptr};
  const auto& at = state.model.layout;
  state.parameters.resize(at.size());
  const double typical = median_of(intensity);
  for (std::size_t a = 0; a < position.size(); ++a) {
    for (std::size_t i = 0; i < 3; ++i)
      state.parameters[at.position(a) + i] = position[a](static_cast<Eigen::Index>(i));
    state.parameters[at.intensity(a)] = typical > 0 ? std::clamp(intensity[a] / typical, 0.2, 5.0) : 1;
  }
  for (std::size_t k = 0; k < species; ++k) state.parameters[at.width(k)] = sigma_A * sigma_A;
  return state;
}

/// Peaks for atoms as far out as those of the state and what they may move.
std::shared_ptr<const PeakShape> shape_for(const State& state, const RefineOptions& options, bool probe) {
  const double depth = farthest_from_origin(state) + 3 * options.maximum_move_A;
  double least = std::numeric_limits<double>::max();
  for (std::size_t k = 0; k < state.model.layout.species; ++k)
    least = std::min(least, state.parameters[state.model.layout.width(k)] / 4);
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

/// Puts the weights that the state's model predicts into the images. Collective.
void weigh(const Communicator& comm, const Stop& stop, MeasuredImages& images, const State& state) {
  images.weight = {};
  DistributedMisfit misfit(comm, stop, images, state.model);
  std::vector<double> slope(state.parameters.size());
  (void)misfit.evaluate(state.parameters, slope);
  Array<float, 3> weight(images.values.shape());
  const AtomProjector atoms(state.model, state.parameters);
  for (std::size_t t = 0; t < images.mine.size(); ++t) {
    const std::size_t tilt = images.mine.begin + t;
    const auto variance =
        variance_of(images, atoms.project(images.rotation[tilt], {images.ny, images.nx}, images.pixel_A),
                    misfit.fits()[tilt]);
    for (std::size_t i = 0; i < variance.size(); ++i)
      weight[t].data()[i] = static_cast<float>(1 / variance.data()[i]);
  }
  images.weight = std::move(weight);
}

/// Adds atoms, of the lightest species until intensities are told apart again.
void add_atoms(State& state, const std::vector<Vec3>& places, double intensity) {
  const auto from = state.model.layout;
  State out;
  out.model = state.model;
  out.model.layout.atoms += places.size();
  out.model.species_of.resize(out.model.layout.atoms, 0);
  const auto& to = out.model.layout;
  out.parameters.resize(to.size());
  std::copy_n(state.parameters.begin(), 3 * from.atoms, out.parameters.begin());
  for (std::size_t a = 0; a < from.atoms; ++a)
    out.parameters[to.intensity(a)] = state.parameters[from.intensity(a)];
  for (std::size_t b = 0; b < places.size(); ++b) {
    for (std::size_t i = 0; i < 3; ++i)
      out.parameters[to.position(from.atoms + b) + i] = places[b](static_cast<Eigen::Index>(i));
    out.parameters[to.intensity(from.atoms + b)] = intensity;
  }
  std::copy_n(state.parameters.begin() + static_cast<std::ptrdiff_t>(from.width(0)), from.species + 2,
              out.parameters.begin() + static_cast<std::ptrdiff_t>(to.width(0)));
  state = std::move(out);
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
  for (int round = 0; changed && round <= options.rounds; ++round) {
    RefineRound now;
    RefineOptions how = options;
    if (round == 0) how.iterations = std::min(how.iterations, kFirstIterations);
    const auto fitted = minimise(comm, stop, images, state, how);
    weigh(comm, stop, images, state);
    now.iterations = fitted.iterations;
    const auto keep = bright_enough(state, options.lowest_share);
    now.dropped = static_cast<std::size_t>(std::count(keep.begin(), keep.end(), false));
    if (now.dropped > 0) {
      state = subset(state, keep);
      std::vector<std::size_t> kept;
      for (std::size_t a = 0; a < keep.size(); ++a)
        if (keep[a]) kept.push_back(result.kept[a]);
      result.kept = std::move(kept);
    }
    if (round < options.rounds) {
      DistributedMisfit misfit(comm, stop, images, state.model);
      std::vector<double> slope(state.parameters.size());
      (void)misfit.evaluate(state.parameters, slope);
      const double typical = typical_intensity(state);
      const auto missing = find_missing_atoms(comm, images, state.model, state.parameters, misfit.fits(),
                                              options.apart_A, options.lowest_share * typical);
      now.added = missing.size();
      add_atoms(state, missing, options.lowest_share * typical);
      result.kept.resize(state.model.layout.atoms, Refinement::kNew);
    }
    now.atoms = state.model.layout.atoms;
    now.misfit = fitted.last;
    changed = now.added + now.dropped > 0 || round == 0;
    result.iterations += now.iterations;
    log::info("trace: round {}: {} iterations, misfit {:.6g}, {} atoms dropped, {} added", round + 1,
              now.iterations, fitted.last, now.dropped, now.added);
    result.rounds.push_back(now);
  }

  const auto& at = state.model.layout;
  std::vector<double> slope(at.size());
  const auto fits_now = [&] {
    DistributedMisfit misfit(comm, stop, images, state.model);
    (void)misfit.evaluate(state.parameters, slope);
    return misfit.fits();
  };
  // Which atoms there are is settled; now each may lean on what the others of its species are like.
  const IntensityPrior prior = prior_of(state, information_of(comm, images, state, fits_now(), {}));
  const auto last = minimise(comm, stop, images, state, options, prior);
  result.iterations += last.iterations;
  log::info("trace: intensities spread by {:.3g} of their mean; {} iterations with this prior",
            prior.spread[0], last.iterations);
  const auto fits = fits_now();
  for (const ImageFit& fit : fits)
    result.misfit_after += fit.mean_square * static_cast<double>(images.ny * images.nx) / variation;
  result.chi_square = chi_square(comm, images, state, fits);
  auto bounds = position_bounds(information_of(comm, images, state, fits, prior));
  if (images.rotation.size() >= kLeastProjections)
    result.error_over_bound = error_over_bound(comm, stop, images, state, bounds, prior, options);
  for (Vec3& b : bounds) {
    result.crlb_A.push_back(b.norm());
    b = b.cwiseProduct(result.error_over_bound);
  }
  result.error_A = std::move(bounds);
  for (std::size_t a = 0; a < at.atoms; ++a) {
    const double* r = state.parameters.data() + at.position(a);
    result.position.emplace_back(r[0], r[1], r[2]);
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
