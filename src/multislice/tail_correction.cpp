#include "tail_correction.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "aetos/core/units.hpp"
#include "aetos/multislice/probe.hpp"

namespace aetos::multislice {
namespace {

/// A tile's signal over that of lone atoms is taken to be at most this.
constexpr double kMostPerLoneAtoms = 4;
/// Weight of lone atoms as they are, as a share of what they give: decides where windows hold next to no
/// atom.
constexpr double kPrior = 0.02;

std::vector<std::vector<std::size_t>> groups_of(const std::vector<DetectorOptions>& detectors,
                                                const ChannelLayout& layout) {
  std::vector<std::vector<std::size_t>> groups;
  const auto add = [&](std::size_t first, std::size_t count) {
    std::vector<std::size_t>& group = groups.emplace_back();
    for (std::size_t c = first; c < first + count; ++c) group.push_back(c);
  };
  for (std::size_t d = 0; d < detectors.size(); ++d) {
    const std::size_t first = layout.first_of_detector[d];
    const std::size_t end = d + 1 < detectors.size() ? layout.first_of_detector[d + 1] : layout.count - 1;
    const DetectorKind kind = detectors[d].kind;
    if (kind == DetectorKind::com || kind == DetectorKind::pixelated) continue;
    const std::size_t together =
        kind == DetectorKind::segmented ? static_cast<std::size_t>(detectors[d].segments) : 1;
    for (std::size_t c = first; c < end; c += together) add(c, together);
  }
  add(layout.count - 1, 1);
  return groups;
}

}  // namespace

TailCorrection::TailCorrection(const EngineSettings& settings, const FftGrid& window,
                               const FftGrid& probe_cell, const ChannelLayout& layout)
    : settings_(settings),
      window_(window),
      probe_cell_(probe_cell),
      tails_(window, probe_cell, electron_wavelength_A(settings.microscope.voltage_kV)),
      channels_(layout.count),
      groups_(groups_of(settings.detectors, layout)) {}

void TailCorrection::prepare(const SliceGrid& slices, long first, std::span<const MicroscopeOptions> lenses,
                             std::span<const ProbeTails::Spectrum> of_windows) {
  if (!lone_atoms_ || thickness_A_ != slices.thickness_A) {
    const double half_A = 0.5 * std::min(static_cast<double>(window_.nx) * window_.dx_A,
                                         static_cast<double>(window_.ny) * window_.dy_A);
    lone_atoms_.emplace(settings_, slices.thickness_A, half_A, channels_);
    thickness_A_ = slices.thickness_A;
  }
  ProbeTails::FreeProbes probes;
  probes.of_window = [&](std::size_t f) -> const ProbeTails::Spectrum& { return of_windows[f]; };
  probes.whole = [&](std::size_t f, const FftGrid& cell) {
    auto spectrum = probe_spectrum(lenses[f], lenses[f].defocus_A, cell, Vec2(0, 0));
    // As bright within as the probe that windows cut: the soft edges of the two apertures differ in width.
    const double brighter = std::sqrt(aperture_area(lenses[f], cell) / aperture_area(lenses[f], probe_cell_));
    for (auto& value : spectrum) value *= brighter;
    return spectrum;
  };
  tails_.prepare(first, slices, lenses.size(), probes);
}

void TailCorrection::add(const ProbeTails::Atoms& around, std::size_t focus, std::span<const Vec2> probes,
                         std::span<const double> vacuum, View<double, 2> values) {
  std::vector<double> whole(channels_, 0), held(channels_, 0), found(channels_, 0);
  Array<double, 2> missing({probes.size(), channels_});
  for (std::size_t p = 0; p < probes.size(); ++p) {
    around.exposures(focus, probes[p], [&](std::uint8_t element, const ProbeTails::Exposure& exposure) {
      const LoneAtoms::Response& alone = lone_atoms_->of(element);
      for (std::size_t c = 0; c < channels_; ++c) {
        missing(p, c) += exposure.missing * alone.rings[c];
        whole[c] += exposure.whole * alone.probe[c];
        held[c] += (exposure.whole - exposure.missing) * alone.probe[c];
      }
    });
    for (std::size_t c = 0; c < channels_; ++c) found[c] += values(p, c) - vacuum[c];
  }
  std::vector<double> scale(channels_, 1);
  for (const auto& group : groups_) {
    double of_lone_atoms = 0, of_tile = 0;
    for (const std::size_t c : group) {
      of_lone_atoms += held[c] + kPrior * whole[c];
      of_tile += found[c] + kPrior * whole[c];
    }
    const double ratio = of_lone_atoms != 0 ? of_tile / of_lone_atoms : 1;
    for (const std::size_t c : group) scale[c] = std::clamp(ratio, 0.0, kMostPerLoneAtoms);
  }
  for (std::size_t p = 0; p < probes.size(); ++p)
    for (std::size_t c = 0; c < channels_; ++c) values(p, c) += scale[c] * missing(p, c);
}

}  // namespace aetos::multislice
