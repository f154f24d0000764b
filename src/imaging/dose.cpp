#include "aetos/imaging/dose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"

namespace aetos::imaging {
namespace {

void check_positive(const std::optional<double>& value, const std::string& key) {
  if (value && !(*value > 0 && std::isfinite(*value)))
    throw InputError("microscope." + key, fmt::format("{}", *value), "a number above 0");
}

}  // namespace

std::optional<double> electrons_per_pixel(const Exposure& exposure, double pixel_A, std::size_t tilts) {
  check_positive(exposure.dose_e_per_A2, "dose_e_per_A2");
  check_positive(exposure.dose_total_e_per_A2, "dose_total_e_per_A2");
  check_positive(exposure.screen_current_pA, "screen_current_pA");
  check_positive(exposure.dwell_us, "dwell_us");
  const int ways = exposure.dose_e_per_A2.has_value() + exposure.dose_total_e_per_A2.has_value() +
                   exposure.screen_current_pA.has_value();
  if (ways > 1)
    throw InputError("microscope",
                     "more than one of dose_e_per_A2, dose_total_e_per_A2 and screen_current_pA",
                     "one of them");
  if (exposure.screen_current_pA && !exposure.dwell_us)
    throw InputError("microscope.screen_current_pA", "a current without a dwell time",
                     "dwell_us beside it, or a dose instead");
  if (exposure.dwell_us && !exposure.screen_current_pA)
    throw InputError("microscope.dwell_us", "a dwell time without a current", "screen_current_pA beside it");
  const double area_A2 = pixel_A * pixel_A;
  if (exposure.dose_e_per_A2) return *exposure.dose_e_per_A2 * area_A2;
  if (exposure.dose_total_e_per_A2)
    return *exposure.dose_total_e_per_A2 / static_cast<double>(tilts) * area_A2;
  if (exposure.screen_current_pA)
    return *exposure.screen_current_pA * 1e-12 * *exposure.dwell_us * 1e-6 / kElementaryCharge_C;
  return std::nullopt;
}

double detected_electrons(double mean, const DetectorNoise& noise, std::uint64_t seed,
                          const random::Index& index) {
  const auto count = static_cast<double>(random::poisson(mean, seed, random::Domain::poisson_noise, index));
  if (noise.is_none()) return count;
  const auto normal = random::normal4(seed, random::Domain::detector_noise, index);
  return count + noise.offset_electrons + noise.gain_sd * std::sqrt(count) * normal[0] +
         noise.read_noise_electrons * normal[1];
}

void add_counting_noise(View<double, 2> image, double electrons, const DetectorNoise& noise,
                        std::uint64_t seed, std::size_t tilt, std::size_t signal) {
  const auto values = image.flat();
  for (std::size_t pixel = 0; pixel < values.size(); ++pixel) {
    const random::Index key{static_cast<std::uint32_t>(tilt), static_cast<std::uint32_t>(signal), pixel};
    values[pixel] = detected_electrons(electrons * values[pixel], noise, seed, key) / electrons;
  }
}

void add_moment_noise(View<double, 2> moment, View<const double, 2> variance,
                      View<const double, 2> transmitted, double electrons, std::uint64_t seed,
                      std::size_t tilt, std::size_t signal) {
  const auto values = moment.flat();
  for (std::size_t pixel = 0; pixel < values.size(); ++pixel) {
    const double counted = electrons * transmitted.flat()[pixel];
    const double spread = std::sqrt(std::max(variance.flat()[pixel], 0.0) / std::max(counted, 1.0));
    const random::Index key{static_cast<std::uint32_t>(tilt), static_cast<std::uint32_t>(signal), pixel};
    values[pixel] += spread * random::normal4(seed, random::Domain::poisson_noise, key)[0];
  }
}

}  // namespace aetos::imaging
