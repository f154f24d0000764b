#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "aetos/core/array.hpp"
#include "aetos/core/random.hpp"

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

/// What a detector adds to the counting of electrons, all in electrons of one pixel.
struct DetectorNoise {
  double offset_electrons = 0;      ///< added to every pixel
  double gain_sd = 0;               ///< relative standard deviation of what single electrons give
  double read_noise_electrons = 0;  ///< standard deviation of the read-out
  bool is_none() const { return offset_electrons == 0 && gain_sd == 0 && read_noise_electrons == 0; }
};

/// What a detector makes of a mean number of electrons, in electrons: the count n is Poisson's, n electrons
/// of unequal weight give n + gain_sd sqrt(n) g, then offset and read-out noise are added, g and the latter
/// normal: mean m + offset, variance m (1 + gain_sd²) + read_noise². May fall below zero. Keys: (seed;
/// poisson_noise and detector_noise; index).
double detected_electrons(double mean, const DetectorNoise& noise, std::uint64_t seed,
                          const random::Index& index);

/// Replaces each value f (a fraction of the beam) by what is detected of N f electrons over N = `electrons`:
/// Poisson(N f) / N without noise of the detector. Values below zero, which a blur leaves at 1e-16, count as
/// zero. Index of the noise: (tilt, signal, pixel), so that every image of every tilt and signal has its own
/// on any number of ranks.
void add_counting_noise(View<double, 2> image, double electrons, const DetectorNoise& noise,
                        std::uint64_t seed, std::size_t tilt, std::size_t signal);

/// Adds to the mean of a distribution, measured with `electrons` x `transmitted` electrons, the error that
/// so many give it: normal, of variance `variance` / electrons. Keys: (seed, poisson_noise; tilt, signal,
/// pixel).
void add_moment_noise(View<double, 2> moment, View<const double, 2> variance,
                      View<const double, 2> transmitted, double electrons, std::uint64_t seed,
                      std::size_t tilt, std::size_t signal);

}  // namespace aetos::imaging
