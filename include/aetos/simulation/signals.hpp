#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/imaging/dose.hpp"
#include "aetos/simulation/plan.hpp"

/// The images that a simulation writes, and how each follows from the sums of the engine.
namespace aetos::simulation {

enum class SignalKind {
  intensity,  ///< a fraction of the beam: a channel of the engine
  moment,     ///< a component of the centre of mass, mrad: a channel of the engine
  dpc,        ///< the same estimated from segments: their intensities times their centroids
  integrated  ///< both components of one of the latter, integrated
};

/// One kind of image, named after its detector: adf; rings_ring_000; df4_segment_000; com_x; com_idpc.
struct Signal {
  std::string name;
  std::size_t channel = 0;  ///< of the engine; for dpc and integrated the first of the detector
  SignalKind kind = SignalKind::intensity;
  std::size_t detector = 0;  ///< of Plan::imaging
  int axis = 0;              ///< of a component: 0 for x, 1 for y

  bool is_intensity() const { return kind == SignalKind::intensity; }
};

/// Signals of the detectors, in their order. Throws InputError if the names of two images would begin alike
/// (`a` and `a_clean`): programs that read EMD files would take them for one.
std::vector<Signal> signals_of(const Plan& plan);
/// The images of a signal: `_clean`, then `_blurred` with a source size, then `_noisy` with an exposure.
std::vector<std::string> image_names(const Request& request, const Plan& plan, const Signal& signal);

/// What a detector adds to the counting of electrons.
imaging::DetectorNoise noise_of(const multislice::DetectorOptions& detector);

/// The images of one tilt.
class TiltImages {
 public:
  /// `mean`: every channel of the engine at every probe, (channel, y, x).
  TiltImages(const Request& request, const Plan& plan, const std::vector<Signal>& signals,
             View<const double, 3> mean, std::size_t tilt);
  /// Images (1, y, x) of a signal, in the order of `image_names`.
  std::vector<Array<float, 3>> of(std::size_t signal) const;

 private:
  using Image = Array<double, 2>;
  Image at_probes(std::size_t signal) const;
  Image blurred(View<const double, 2> probes) const;
  Image pixels(View<const double, 2> probes) const;
  Image noisy(std::size_t signal) const;
  Image noisy_moment(const Signal& signal, std::size_t key) const;
  Image integrated(View<const double, 2> x_mrad, View<const double, 2> y_mrad, double step_A) const;
  std::vector<std::size_t> of_detector(const Signal& signal, bool intensities) const;

  const Request& request_;
  const Plan& plan_;
  const std::vector<Signal>& signals_;
  View<const double, 3> mean_;
  std::size_t tilt_;
};

}  // namespace aetos::simulation
