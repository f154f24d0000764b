#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "aetos/core/array.hpp"

namespace aetos::imaging {

/// How many electrons an image gets; at most one of the three ways is given (config keys `microscope.*`).
struct Exposure {
  std::optional<double> dose_e_per_A2 = {};        ///< per projection
  std::optional<double> dose_total_e_per_A2 = {};  ///< of the whole series, split evenly
  std::optional<double> screen_current_pA = {};    ///< needs dwell_us
  std::optional<double> dwell_us = {};             ///< per pixel
};

/// Electrons per pixel of each image: dose x pixel², or current x dwell / e; none where no exposure is given,
/// and then no noise is applied. Throws InputError for two ways at once, a current without a dwell time or
/// the reverse, and values that are not positive.
std::optional<double> electrons_per_pixel(const Exposure& exposure, double pixel_A, std::size_t tilts);

/// Replaces each value f (a fraction of the beam) by Poisson(N f) / N, N = `electrons`. Values below zero,
/// which a blur leaves at 1e-16, count as zero. Keys: (seed, poisson_noise; tilt, signal, pixel), so that
/// every image of every tilt and signal has its own noise on any number of ranks.
void add_poisson_noise(View<double, 2> image, double electrons, std::uint64_t seed, std::size_t tilt,
                       std::size_t signal);

/// Adds to the mean of a distribution, measured with `electrons` x `transmitted` electrons, the error that
/// so many give it: normal, of variance `variance` / electrons. Keyed as above.
void add_moment_noise(View<double, 2> moment, View<const double, 2> variance,
                      View<const double, 2> transmitted, double electrons, std::uint64_t seed,
                      std::size_t tilt, std::size_t signal);

}  // namespace aetos::imaging
