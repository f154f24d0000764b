#include "distributed_misfit.hpp"

#include <algorithm>
#include <exception>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/rotation_vector.hpp"
#include "peak_pixels.hpp"

namespace aetos::tracing {
namespace {

/// Weighted sum of squared distances of an image's pixels from their mean.
double variation_of(View<const float, 2> image, View<const float, 2> weight) {
  double n = 0, sum = 0, square = 0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const double w = weight_at(weight, i);
    const double v = static_cast<double>(image.data()[i]);
    n += w, sum += w * v, square += w * v * v;
  }
  return n > 0 ? square - sum * sum / n : 0;
}

PoseChange pose_of(const Parameters& at, std::span<const double> parameters, std::size_t image) {
  PoseChange change{};
  if (image < at.images)
    std::copy_n(parameters.begin() + static_cast<std::ptrdiff_t>(at.pose(image)), 5, change.begin());
  return change;
}

/// The slopes to the change itself, of those to a further one after it.
PoseChange slopes_to(const PoseChange& change, const PoseChange& after) {
  const Vec3 by_turn =
      left_jacobian({change[0], change[1], change[2]}).transpose() * Vec3(after[0], after[1], after[2]);
  return {by_turn.x(), by_turn.y(), by_turn.z(), after[3], after[4]};
}

[[noreturn]] void throw_interrupted() {
  throw Interrupted("stopped while atoms were refined");
}

}  // namespace

void end_if_stopped(const Communicator& comm, const Stop& stop) {
  if (stop.agreed(comm)) throw_interrupted();
}

void IntensityPrior::add(const AtomModel& model, std::span<const double> parameters, double share,
                         double& value, std::span<double> gradient) const {
  if (spread.empty()) return;
  const auto& at = model.layout;
  std::vector<double> mean(at.species), n(at.species), squares(at.species);
  for (std::size_t a = 0; a < at.atoms; ++a)
    mean[model.species_of[a]] += parameters[at.intensity(a)], n[model.species_of[a]] += 1;
  for (std::size_t k = 0; k < at.species; ++k) mean[k] /= std::max(1.0, n[k]);
  const auto distance = [&](std::size_t a, std::size_t k) {
    return parameters[at.intensity(a)] / mean[k] - 1;
  };
  for (std::size_t a = 0; a < at.atoms; ++a) {
    const std::size_t k = model.species_of[a];
    if (mean[k] > 0) squares[k] += distance(a, k) * distance(a, k);
  }
  for (std::size_t k = 0; k < at.species; ++k) value += share * squares[k] / (spread[k] * spread[k]);
  for (std::size_t a = 0; a < at.atoms; ++a) {
    const std::size_t k = model.species_of[a];
    if (!(mean[k] > 0)) continue;
    // The second term is the mean's own slope: it keeps the prior from shrinking all intensities together.
    gradient[at.intensity(a)] +=
        share * 2 * (distance(a, k) - squares[k] / n[k]) / (mean[k] * spread[k] * spread[k]);
  }
}

DistributedMisfit::DistributedMisfit(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                                     const AtomModel& model, IntensityPrior prior)
    : comm_(comm), stop_(stop), images_(images), model_(model), prior_(std::move(prior)) {
  std::vector<double> mine;
  for (std::size_t t = 0; t < images.mine.size(); ++t)
    if (!images.skips(images.mine.begin + t))
      mine.push_back(variation_of(images.values[t], images.weight_of(t)));
  double sum = 0;
  for (const double v : comm.all_gather(std::span<const double>(mine))) sum += v;
  if (sum > 0) variation_ = sum;
}

double DistributedMisfit::evaluate(std::span<const double> parameters, std::span<double> gradient) {
  fault::point("trace-refine");
  const auto& at_of = model_.layout;
  const std::size_t n = at_of.of_atoms();
  std::vector<ImageFit> fits(images_.mine.size());
  std::vector<double> slopes(images_.mine.size() * n);
  const AtomProjector atoms(model_, parameters);
  for (std::size_t t = 0; t < images_.mine.size(); ++t) {
    const std::size_t image = images_.mine.begin + t;
    if (images_.skips(image)) continue;
    const PoseChange change = pose_of(at_of, parameters, image);
    fits[t] = atoms.misfit(images_.sight[image].after(change), images_.values[t], images_.weight_of(t),
                           images_.pixel_A, {slopes.data() + t * n, n});
    fits[t].by_pose = slopes_to(change, fits[t].by_pose);
  }
  // Ranks hold consecutive projections, so that what comes together is in index order.
  fits_ = comm_.all_gather(std::span<const ImageFit>(fits));
  comm_.ordered_sum(slopes, gradient.first(n));
  for (std::size_t i = 0; i < n; ++i) gradient[i] /= variation_;
  double value = 0;
  for (std::size_t t = 0; t < fits_.size(); ++t) {
    value += fits_[t].misfit / variation_;
    if (t >= at_of.images) continue;
    for (std::size_t i = 0; i < 5; ++i) gradient[at_of.pose(t) + i] = fits_[t].by_pose[i] / variation_;
  }
  prior_.add(model_, parameters, 1 / variation_, value, gradient);
  return value;
}

MinimiserResult DistributedMisfit::minimise(const std::vector<double>& start, const std::vector<double>& step,
                                            std::vector<double>& x, const std::vector<double>& lower,
                                            const std::vector<double>& upper, const MinimiserOptions& options,
                                            EvaluationJournal* journal) {
  std::vector<double> parameters(start.size()), slope(start.size());
  // One evaluation on all ranks; true if a stop was asked for anywhere.
  const auto together = [&](double& value) {
    comm_.broadcast(std::span<double>(parameters));
    value = evaluate(parameters, slope);
    return stop_.agreed(comm_);
  };
  const Objective objective = [&](std::span<const double> at, std::span<double> gradient) {
    for (std::size_t i = 0; i < start.size(); ++i) parameters[i] = start[i] + step[i] * at[i];
    double value = 0;
    if (!journal || !journal->recall(parameters, value, slope)) {
      (void)comm_.broadcast_value(true);
      if (together(value)) throw_interrupted();
      if (journal) journal->keep(parameters, value, slope);
    }
    for (std::size_t i = 0; i < start.size(); ++i) gradient[i] = slope[i] * step[i];
    return value;
  };

  MinimiserResult result;
  std::exception_ptr failure;
  if (comm_.is_root()) {
    try {
      result = minimise_bounded(objective, x, lower, upper, options);
    } catch (...) {
      failure = std::current_exception();
    }
    (void)comm_.broadcast_value(false);
  } else {
    double value = 0;
    while (comm_.broadcast_value(false)) (void)together(value);
  }
  comm_.agree([&] {
    if (failure) std::rethrow_exception(failure);
  });
  comm_.broadcast(std::span<double>(x));
  return comm_.broadcast_value(result);
}

}  // namespace aetos::tracing
