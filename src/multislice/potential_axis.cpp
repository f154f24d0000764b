#include "potential_axis.hpp"

#include <cmath>

namespace aetos::multislice {
namespace {

/// Place of each natural index in the scrambled order.
std::vector<std::uint32_t> places(const LaneFft& fft) {
  std::vector<std::uint32_t> place(fft.size());
  for (std::uint32_t i = 0; i < place.size(); ++i) place[fft.order()[i]] = i;
  return place;
}

std::uint32_t place_of(std::ptrdiff_t frequency, const std::vector<std::uint32_t>& places) {
  const auto n = static_cast<std::ptrdiff_t>(places.size());
  return places[static_cast<std::size_t>((frequency % n + n) % n)];
}

}  // namespace

PotentialAxis::PotentialAxis(std::size_t n, std::size_t refine, double dk, double band_end)
    : fine(2 * n), phase(refine * n), out(n) {
  const auto of_fine = places(fine), of_phase = places(phase), of_out = places(out);
  const auto add = [](Route& route, std::ptrdiff_t frequency, const auto& from, const auto& to) {
    route.frequency.push_back(frequency);
    route.from.push_back(place_of(frequency, from));
    route.to.push_back(place_of(frequency, to));
  };
  const auto half = static_cast<std::ptrdiff_t>(n / 2);
  for (std::ptrdiff_t f = -half; f <= half; ++f) {
    add(potential, f, of_fine, of_phase);
    if (std::abs(static_cast<double>(f)) * dk <= band_end) add(band, f, of_phase, of_out);
  }
}

}  // namespace aetos::multislice
