#pragma once

#include <cstdint>
#include <vector>

#include "aetos/multislice/grid.hpp"
#include "lane_fft.hpp"

namespace aetos::multislice {

/// What a potential's transforms need along one axis of n pixels: three lengths, and where each frequency
/// stands in their scrambled orders.
struct PotentialAxis {
  /// Frequencies taken from one transform to another, place by place.
  struct Route {
    std::vector<std::ptrdiff_t> frequency;
    std::vector<std::uint32_t> from, to;
  };

  LaneFft fine, phase, out;  ///< of 2 n, refine n and n pixels
  /// From fine to phase: all n frequencies; of an even n both signs of the Nyquist frequency, half of each.
  Route potential;
  Route band;  ///< from phase to out: frequencies within the band limit

  PotentialAxis(std::size_t n, std::size_t refine, double dk, double band_end);

  /// Share of frequency f in the potential.
  double share(std::ptrdiff_t f) const {
    return 2 * static_cast<std::size_t>(f < 0 ? -f : f) == out.size() ? 0.5 : 1.0;
  }
};

}  // namespace aetos::multislice
