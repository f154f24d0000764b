#include "refinement.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/core/median.hpp"
#include "distributed_misfit.hpp"

namespace aetos::tracing {
namespace {

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
                         State& state, const RefineOptions& options) {
  DistributedMisfit misfit(comm, stop, images, state.model);
  const Scaled v =
      scaled_variables(state.model.layout, state.parameters, options, farthest_from_origin(state));
  std::vector<double> x(v.start.size());
  MinimiserOptions how;
  how.iterations = options.iterations;
  const auto result = misfit.minimise(v.start, v.step, x, v.lower, v.upper, how);
  for (std::size_t i = 0; i < x.size(); ++i) state.parameters[i] = v.start[i] + v.step[i] * x[i];
  return result;
}

/// Variance of every pixel of one image: Poisson's where the counts are known, else the mean squared
/// residual.
Array<double, 2> variance_of(const MeasuredImages& images, const State& state, std::size_t tilt,
                             const ImageFit& fit) {
  auto variance =
      project(state.model, state.parameters, images.rotation[tilt], {images.ny, images.nx}, images.pixel_A);
  const double pixels = static_cast<double>(images.ny * images.nx),
               mean = std::max(fit.misfit / pixels, 1e-300);
  for (double& v : variance) {
    const double value = fit.scale * v + fit.offset;
    // Empty background has a little variance too; a tenth of the image's mean residual is a floor.
    v = images.counts_per_unit > 0 ? std::max(value / images.counts_per_unit, mean / 10) : mean;
  }
  return variance;
}

/// Cramér-Rao bound of each atom's position, its neighbours taken as known (so a lower bound of the full
/// one).
std::vector<double> position_bounds(const Communicator& comm, const MeasuredImages& images,
                                    const State& state, const std::vector<ImageFit>& fits) {
  const std::size_t n = state.model.layout.atoms, record = 10 * n;
  std::vector<double> mine(images.mine.size() * record);
  for (std::size_t t = 0; t < images.mine.size(); ++t) {
    const std::size_t tilt = images.mine.begin + t;
    const auto variance = variance_of(images, state, tilt, fits[tilt]);
    add_fisher_information(state.model, state.parameters, images.rotation[tilt], fits[tilt].scale, variance,
                           images.pixel_A, {mine.data() + t * record, record});
  }
  const auto all = comm.all_gather(std::span<const double>(mine));
  std::vector<double> bounds(n, 0.0), sum(record);
  for (std::size_t i = 0; i < all.size(); ++i) sum[i % record] += all[i];
  for (std::size_t a = 0; a < n; ++a) {
    Eigen::Matrix4d information;
    const double* at = sum.data() + 10 * a;
    for (Eigen::Index i = 0; i < 4; ++i)
      for (Eigen::Index j = i; j < 4; ++j) information(i, j) = information(j, i) = *at++;
    const double trace = information.inverse().topLeftCorner<3, 3>().trace();
    bounds[a] = std::isfinite(trace) && trace > 0 ? std::sqrt(trace) : 0;
  }
  return bounds;
}

State starting_state(const std::vector<Vec3>& position, const std::vector<double>& intensity,
                     const std::vector<std::size_t>& species_of, std::size_t species, double sigma_A) {
  State state;
  state.model = {{position.size(), species}, species_of};
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

}  // namespace

Refinement refine(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                  const std::vector<Vec3>& position, const std::vector<double>& intensity,
                  const std::vector<std::size_t>& species_of, std::size_t species,
                  const RefineOptions& options) {
  Refinement result;
  State state = starting_state(position, intensity, species_of, species, options.start_sigma_A);
  result.kept.resize(position.size());
  for (std::size_t a = 0; a < position.size(); ++a) result.kept[a] = a;
  if (position.empty()) return result;

  const auto first = minimise(comm, stop, images, state, options);
  result.misfit_before = first.first;
  result.misfit_after = first.last;
  result.iterations = first.iterations;
  const auto keep = bright_enough(state, options.lowest_share);
  if (std::count(keep.begin(), keep.end(), false) > 0) {
    state = subset(state, keep);
    std::erase_if(result.kept, [&](std::size_t a) { return !keep[a]; });
    const auto again = minimise(comm, stop, images, state, options);
    result.misfit_after = again.last;
    result.iterations += again.iterations;
  }

  const auto& at = state.model.layout;
  DistributedMisfit misfit(comm, stop, images, state.model);
  std::vector<double> slope(at.size()), intensities;
  (void)misfit.evaluate(state.parameters, slope);
  result.crlb_A = position_bounds(comm, images, state, misfit.fits());
  for (std::size_t a = 0; a < at.atoms; ++a) {
    const double* r = state.parameters.data() + at.position(a);
    result.position.emplace_back(r[0], r[1], r[2]);
    result.intensity.push_back(state.parameters[at.intensity(a)]);
    result.sigma_A.push_back(std::sqrt(state.parameters[at.width(state.model.species_of[a])]));
  }
  const double typical = median_of(result.intensity);
  for (double& i : result.intensity) i /= typical;
  result.growth = state.parameters[at.growth()];
  return result;
}

}  // namespace aetos::tracing
