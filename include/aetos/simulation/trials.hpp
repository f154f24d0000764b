#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aetos/parallel/communicator.hpp"
#include "aetos/simulation/window_samples.hpp"

/// A simulation's sample probes under other settings than its own, to say what each setting costs in
/// accuracy.
namespace aetos::simulation {

/// What is varied. A window of this width, in a size that transforms fast; the whole cell where that is
/// smaller.
struct Setting {
  double sampling_A = 0.1, slice_A = 2, window_A = 12.8;
};

/// Relative RMS error of each detector that makes images, in the order of Plan::imaging.
using DetectorErrors = std::vector<double>;

DetectorErrors scaled(DetectorErrors errors, double factor);

/// What trials would take, before any is made.
class PlannedTrials {
 public:
  /// `groups` of up to 16 sample probes (draw_samples). Detectors end at the angle limit of the simulation's
  /// own sampling, so that all settings compare the same angles.
  PlannedTrials(const Request& request, const Plan& plan, std::size_t groups);

  /// The simulation's own sampling and slices, on the window it is expected to take, 25.6 Å at most.
  Setting own() const { return own_; }
  const Samples& samples() const { return samples_; }

  Window window_of(const Setting& setting) const;
  double width_A(const Setting& setting) const;  ///< of that window
  /// The sampling that a setting really has where the specimen repeats.
  double achieved_sampling_A(const Setting& setting) const;
  /// Arithmetic of Trials::signals on all ranks together, at most: pixels x log2(pixels) of a window, for
  /// each wave and slice, and for potentials what they take of it.
  double work(const Setting& setting) const;
  double memory_bytes(const Setting& setting) const;

 protected:
  Request varied(const Setting& setting) const;

  const Request& request_;
  const Plan& plan_;
  Setting own_;
  Samples samples_;
};

class Trials : public PlannedTrials {
 public:
  Trials(const Communicator& comm, const Stop& stop, const Request& request, const Plan& plan,
         std::size_t groups)
      : PlannedTrials(request, plan, groups), comm_(comm), stop_(stop) {}

  /// Detector values of the sample probes, the same on every rank. Throws Interrupted on all ranks at a stop
  /// request. Collective.
  std::vector<float> signals(const Setting& setting, std::size_t configuration = 0);
  DetectorErrors errors(const std::vector<float>& signals, const std::vector<float>& truth) const;
  /// Of the mean over `averaged` configurations, from the spread of some single ones.
  DetectorErrors phonon_errors(const std::vector<std::vector<float>>& single, std::size_t averaged) const;
  /// Wave-slices of this rank so far.
  std::uint64_t wave_slices() const { return spent_; }

 private:
  const Communicator& comm_;
  const Stop& stop_;
  std::uint64_t spent_ = 0;
};

/// The sampling that stands for the converged answer, Å: 0.025, or 3/4 of the simulation's own where that is
/// finer.
double converged_sampling_A(double sampling_A);

}  // namespace aetos::simulation
