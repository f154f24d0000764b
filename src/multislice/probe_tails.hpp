#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/multislice/grid.hpp"
#include "aetos/multislice/tile_engine.hpp"

namespace aetos::multislice {

/// What windows miss of the free probe: its rings beyond the window, which hold about lambda / (pi² alpha R)
/// of the beam beyond R, and what is taken off within at the window's edges. Atoms there scatter electrons
/// that the window's wave does not hold, to first order in proportion to the missing intensity at each atom.
/// Planes along the beam hold the intensity as a table within the window and, averaged over directions, by
/// distance.
class ProbeTails {
 public:
  using Spectrum = Array<std::complex<double>, 2>;
  /// Free probes, pixel (0, 0) at the probe: of the window at the top face of slice 0, with its share of the
  /// beam as sum |psi|², and whole ones at the reference plane on a cell, as bright as those that windows
  /// cut.
  struct FreeProbes {
    std::function<const Spectrum&(std::size_t focus)> of_window;
    std::function<Spectrum(std::size_t focus, const FftGrid& cell)> whole;
  };

  /// `probe_cell`: the one whose probe the windows cut.
  ProbeTails(const FftGrid& window, const FftGrid& probe_cell, double wavelength_A);

  /// Distance from a probe, Å, up to which atoms are counted.
  double reach_A() const { return reach_A_; }

  /// For slices of which the first lies `first` slices below the reference plane. Whole probes are kept from
  /// one call to the next; foci must stay the same.
  void prepare(long first, const SliceGrid& slices, std::size_t foci, const FreeProbes& probes);

  /// Intensity, 1/Å² of a beam of 1, summed over atoms: of the whole free probe, and what the window misses.
  struct Exposure {
    double whole = 0, missing = 0;
  };

  /// The atoms around a tile of probes, with images in periodic cells.
  class Atoms {
   public:
    Atoms(const ProbeTails& tails, const LateralGrid& lateral, const BeamAtoms& atoms,
          const SliceGrid& slices, std::span<const Vec2> probes);
    /// Calls add(element, exposure) for each element.
    template <class Add>
    void exposures(std::size_t focus, const Vec2& probe, Add add) const {
      for (const auto& [element, atoms] : by_element_) {
        Exposure exposure = of_near(focus, probe, atoms);
        const double far = of_far(probe, atoms.far_at_corners[focus]);
        add(element, Exposure{exposure.whole + far, exposure.missing + far});
      }
    }

   private:
    using Corners = std::array<double, 4>;  ///< of the tile: (x, y) low low, high low, low high, high high
    struct Element {
      std::vector<float> x_A, y_A, weight;
      std::vector<std::uint32_t> plane;
      std::vector<Corners> far_at_corners;  ///< by focus: of atoms so far away that this is smooth
    };
    void place(Element& element, double x, double y, float weight, std::uint32_t plane) const;
    Exposure of_near(std::size_t focus, const Vec2& probe, const Element& atoms) const;
    double of_far(const Vec2& probe, const Corners& corners) const;

    const ProbeTails& tails_;
    Vec2 low_, high_;  ///< the tile's corners
    std::map<std::uint8_t, Element> by_element_;
  };

 private:
  /// Intensity per Å² of a whole probe: on the window's pixels, the probe at the middle one, and by distance
  /// in pixels of the wide cell.
  struct Plane {
    Array<float, 2> within;
    std::vector<float> by_distance;
  };
  /// Spectra of a whole probe at the reference plane, on the cell with the window's pixels and on the wide
  /// one.
  struct WholeProbe {
    Spectrum near, far;
  };
  Plane whole_plane(const WholeProbe& probe, long plane) const;
  void count_pixels_by_distance();
  std::vector<float> by_distance(const Array<double, 2>& intensity) const;
  double ring_ratio(double distance_A, const FftGrid& cell) const;
  double height_A(long plane) const;
  std::size_t plane_of(std::size_t slice) const {
    return (slice + static_cast<std::size_t>(slices_above_)) / static_cast<std::size_t>(slices_per_plane_);
  }

  FftGrid window_, cell_, wide_;  ///< cell_: with the window's pixels
  double wavelength_A_, soft_edge_A_, reach_A_;
  Array<std::uint32_t, 2> bin_;       ///< distance from the probe of each pixel of wide_, in its pixels
  std::vector<double> per_bin_;       ///< what a pixel counts in the mean of its bin
  Array<double, 2> ring_ratio_near_;  ///< on the window's pixels
  double slice_A_ = 0;
  long slices_per_plane_ = 1;
  long slices_above_ = 0;                                ///< of the first plane that lie above slice 0
  std::map<std::pair<std::size_t, long>, Plane> whole_;  ///< by focus and plane
  /// By focus and plane of these slices.
  std::vector<std::vector<Array<float, 2>>> missing_within_;
  std::vector<std::vector<const Plane*>> planes_;
};

}  // namespace aetos::multislice
