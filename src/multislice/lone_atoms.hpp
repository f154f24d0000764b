#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/multislice/potential.hpp"
#include "aetos/multislice/tile_engine.hpp"
#include "window_waves.hpp"

namespace aetos::multislice {

/// What one atom by itself adds to each channel, Å²: for a beam of the intensity 1 per Å², what is detected
/// with the atom less what is detected without.
class LoneAtoms {
 public:
  struct Response {
    std::vector<double> probe;  ///< of a beam from all directions within the aperture
    /// Of one from the aperture's rim: a probe's outer rings are waves from there. At the distance R they
    /// are from directions within lambda / R of each other.
    std::vector<double> rings;
  };

  /// For rings beyond `distance_A` from the probe.
  LoneAtoms(const EngineSettings& settings, double slice_thickness_A, double distance_A,
            std::size_t channels);

  const Response& of(std::uint8_t atomic_number);

 private:
  void add_circle(double radius, double weight, std::vector<double>& response);
  void detect(std::size_t j, std::size_t i);

  MicroscopeOptions microscope_;
  double wavelength_A_, rings_radius_;
  FftGrid grid_;
  PotentialBuilder builder_;
  DetectorSums sums_;
  WindowWaves waves_;
  Array<float, 3> transmission_;
  Array<ComplexLane, 1> wave_;
  Array<float, 2> intensity_;
  std::vector<double> with_, without_;
  std::map<std::uint8_t, Response> known_;
};

}  // namespace aetos::multislice
