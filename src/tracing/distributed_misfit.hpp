#pragma once

#include "aetos/tracing/projection_model.hpp"
#include "bounded_minimiser.hpp"
#include "evaluation_journal.hpp"
#include "refinement.hpp"

namespace aetos::tracing {

/// How the intensities of each species scatter about their mean: a normal prior.
struct IntensityPrior {
  std::vector<double> spread;  ///< standard deviation over the mean, per species; empty: no prior

  /// Adds ((I_a / mean - 1) / spread)² of all atoms to `value` and its slopes to `gradient`, both times
  /// `share`. The mean is that of the species as it is now, so that a common factor, which the images' scales
  /// leave open, changes nothing.
  void add(const AtomModel& model, std::span<const double> parameters, double share, double& value,
           std::span<double> gradient) const;
};

/// Throws Interrupted on all ranks if a stop was asked for on one. Collective.
void end_if_stopped(const Communicator& comm, const Stop& stop);

/// The misfit to all images as one function of the parameters. The root minimises; the other ranks serve
/// their images until it is done, so that one process alone decides and none can wander off.
class DistributedMisfit {
 public:
  DistributedMisfit(const Communicator& comm, const Stop& stop, const MeasuredImages& images,
                    const AtomModel& model, IntensityPrior prior = {});

  /// Value and gradient on every rank; collective. Divided by the images' own variation.
  double evaluate(std::span<const double> parameters, std::span<double> gradient);
  double variation() const { return variation_; }  ///< weighted sum of squares about each image's mean
  const std::vector<ImageFit>& fits() const { return fits_; }  ///< of the last evaluation, every projection

  /// Minimises over `x` (parameters = start + step * x) within bounds; every rank has the result. The root
  /// may hold a journal, from which it takes the evaluations that were done before. Collective.
  MinimiserResult minimise(const std::vector<double>& start, const std::vector<double>& step,
                           std::vector<double>& x, const std::vector<double>& lower,
                           const std::vector<double>& upper, const MinimiserOptions& options,
                           EvaluationJournal* journal = nullptr);

 private:
  const Communicator& comm_;
  const Stop& stop_;
  const MeasuredImages& images_;
  const AtomModel& model_;
  IntensityPrior prior_;
  double variation_ = 1;
  std::vector<ImageFit> fits_;
};

}  // namespace aetos::tracing
