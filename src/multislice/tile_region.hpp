#pragma once

#include <span>
#include <vector>

#include "aetos/multislice/potential.hpp"
#include "aetos/multislice/tile_engine.hpp"

namespace aetos::multislice {

/// The part of the specimen that a tile of probes looks at: its grid, the atoms in it by slice, and where
/// each probe's window lies. Region and windows sit on pixels of the lateral grid, so neighbouring tiles
/// agree.
class TileRegion {
 public:
  /// Where one probe is propagated.
  struct Place {
    std::size_t window_x = 0, window_y = 0;       ///< the window's first pixel within the region
    double x_in_window_A = 0, y_in_window_A = 0;  ///< the probe from that pixel
    std::vector<std::uint8_t> touches;            ///< per slice: an atom's centre lies within the window

    /// First slice at or after `from` with an atom in the window; the number of slices if there is none.
    std::size_t next_slice(std::size_t from) const;
    bool sees_atoms() const { return next_slice(0) < touches.size(); }
  };

  TileRegion(const EngineSettings& settings, const BeamAtoms& atoms, const SliceGrid& slices,
             std::span<const Vec2> probes);

  const FftGrid& grid() const { return grid_; }
  const std::vector<SliceAtoms>& slices() const { return slices_; }
  const std::vector<Place>& places() const { return places_; }

  static double reach_A(const EngineSettings& settings);

 private:
  struct Axis;
  void place_atoms(const Axis& x, const Axis& y, const BeamAtoms& atoms, const SliceGrid& slices);
  void mark_slices(const FftGrid& window);

  FftGrid grid_;
  std::vector<SliceAtoms> slices_;
  std::vector<Place> places_;
};

}  // namespace aetos::multislice
