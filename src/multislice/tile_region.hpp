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
    /// Per slice: it feels an atom whose centre lies within the window.
    std::vector<std::uint8_t> touches;

    /// First slice at or after `from` with an atom in the window; the number of slices if there is none.
    std::size_t next_slice(std::size_t from) const;
    bool sees_atoms() const { return next_slice(0) < touches.size(); }
  };

  TileRegion(const EngineSettings& settings, const BeamAtoms& atoms, const SliceGrid& slices,
             std::span<const Vec2> probes);

  const FftGrid& grid() const { return grid_; }
  std::size_t slice_count() const { return felt_.size(); }
  /// Whether a slice holds potential of any atom of the region.
  bool is_filled(std::size_t slice) const { return felt_[slice]; }
  /// The atoms by the slice of their centre; for projected slices.
  const std::vector<SliceAtoms>& slices() const { return slices_; }
  /// The atoms on planes; for finite slices.
  const AtomPlanes& planes() const { return planes_; }
  const std::vector<Place>& places() const { return places_; }

  static double reach_A(const EngineSettings& settings);

 private:
  struct Axis;
  void place_atoms(const Axis& x, const Axis& y, const BeamAtoms& atoms, const SliceGrid& slices,
                   Slicing slicing);
  void mark_slices(const FftGrid& window);
  template <class Inside>
  std::vector<std::uint8_t> slices_with(Inside inside) const;

  FftGrid grid_;
  std::vector<SliceAtoms> slices_;
  AtomPlanes planes_;
  std::vector<std::uint8_t> felt_;
  std::vector<Place> places_;
};

}  // namespace aetos::multislice
