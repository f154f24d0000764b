#include "noise.hpp"

#include <algorithm>
#include <cmath>

namespace aetos::tracing {
namespace {

/// Empty background has a little variance too: this share of the image's mean squared residual is a floor.
constexpr double kVarianceFloor = 0.1;
constexpr double kLeastSpread = 0.02;
constexpr std::size_t kLeastAtoms = 20;  // of a species, for a spread

}  // namespace

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

double chi_square(const Communicator& comm, const MeasuredImages& images, const State& state,
                  const std::vector<ImageFit>& fits) {
  const AtomProjector atoms(state.model, state.parameters);
  std::vector<double> mine;
  for (std::size_t t = 0; t < images.mine.size(); ++t) {
    const ImageFit& fit = fits[images.mine.begin + t];
    const auto model =
        atoms.project(images.sight[images.mine.begin + t], {images.ny, images.nx}, images.pixel_A);
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

std::vector<Eigen::Matrix4d> information_of(const Communicator& comm, const MeasuredImages& images,
                                            const State& state, const std::vector<ImageFit>& fits,
                                            const IntensityPrior& prior) {
  const std::size_t n = state.model.layout.atoms, record = 10 * n;
  std::vector<double> mine(images.mine.size() * record);
  const AtomProjector atoms(state.model, state.parameters);
  for (std::size_t t = 0; t < images.mine.size(); ++t) {
    const std::size_t tilt = images.mine.begin + t;
    const auto variance = variance_of(
        images, atoms.project(images.sight[tilt], {images.ny, images.nx}, images.pixel_A), fits[tilt]);
    atoms.add_fisher_information(images.sight[tilt], fits[tilt].scale, variance, images.pixel_A,
                                 {mine.data() + t * record, record});
  }
  std::vector<double> sum(record);
  comm.ordered_sum(mine, sum);
  std::vector<Eigen::Matrix4d> information;
  const double typical = typical_intensity(state);
  for (std::size_t a = 0; a < n; ++a) {
    information.push_back(information_matrix(sum.data() + 10 * a));
    if (!prior.spread.empty())
      information[a](3, 3) += std::pow(prior.spread[state.model.species_of[a]] * typical, -2);
  }
  return information;
}

Eigen::Matrix4d information_matrix(const double* upper) {
  Eigen::Matrix4d matrix;
  for (Eigen::Index i = 0; i < 4; ++i)
    for (Eigen::Index j = i; j < 4; ++j) matrix(i, j) = matrix(j, i) = *upper++;
  return matrix;
}

Vec3 position_bound(const Eigen::Matrix4d& information) {
  const Eigen::Matrix4d covariance = information.inverse();
  const Vec3 square = covariance.diagonal().head<3>();
  return square.allFinite() && square.minCoeff() > 0 ? Vec3(square.cwiseSqrt()) : Vec3::Zero();
}

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

}  // namespace aetos::tracing
