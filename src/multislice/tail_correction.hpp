#pragma once

#include <optional>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/multislice/grid.hpp"
#include "aetos/multislice/tile_engine.hpp"
#include "lone_atoms.hpp"
#include "probe_tails.hpp"

namespace aetos::multislice {

/// Adds what atoms scatter of the intensity that windows miss: to first order, lone atoms in the probe's
/// rings. In a thick or crystalline specimen an atom scatters more or less than a lone one, so a tile's
/// values are scaled by what its probes give over what lone atoms would give of them.
class TailCorrection {
 public:
  TailCorrection(const EngineSettings& settings, const FftGrid& window, const FftGrid& probe_cell,
                 const ChannelLayout& layout);

  double reach_A() const { return tails_.reach_A(); }

  /// Before a tile with other slices than the last one's. `lenses` and `of_windows`, spectra at the top face:
  /// one for each focus; `first`: slices from the reference plane down to the first.
  void prepare(const SliceGrid& slices, long first, std::span<const MicroscopeOptions> lenses,
               std::span<const ProbeTails::Spectrum> of_windows);

  /// Adds to the values (probe, channel) of one focus. `vacuum`: those of a probe that meets no atom.
  void add(const ProbeTails::Atoms& around, std::size_t focus, std::span<const Vec2> probes,
           std::span<const double> vacuum, View<double, 2> values);

  ProbeTails::Atoms around(const BeamAtoms& atoms, const SliceGrid& slices,
                           std::span<const Vec2> probes) const {
    return {tails_, settings_.grid, atoms, slices, probes};
  }

 private:
  EngineSettings settings_;
  FftGrid window_, probe_cell_;
  ProbeTails tails_;
  std::optional<LoneAtoms> lone_atoms_;  ///< for the slice thickness last used
  double thickness_A_ = 0;
  std::size_t channels_;
  /// Channels that share a scale, so that segments add up as their ring does; those of patterns and centres
  /// of mass, in no group, take lone atoms as they are.
  std::vector<std::vector<std::size_t>> groups_;
};

}  // namespace aetos::multislice
