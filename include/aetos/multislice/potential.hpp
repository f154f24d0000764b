#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/multislice/grid.hpp"
#include "aetos/multislice/options.hpp"

/// Projected potentials of slices on a periodic grid, and the transmission functions made from them.
namespace aetos::multislice {

/// An atom of one slice: its place in Å from pixel (0, 0) of the grid, and the factor on its potential.
struct PlacedAtom {
  double x_A = 0, y_A = 0;
  float weight = 1;
};
/// The atoms of one slice by atomic number (an ordered map: species are summed in a fixed order).
using SliceAtoms = std::map<std::uint8_t, std::vector<PlacedAtom>>;

/// Atoms on planes between which the finite potentials of slices are interpolated along the beam: plane n
/// lies n x spacing below the top face of slice 0, and `per_slice` x slices + 1 planes reach to the last
/// face. An atom between two planes is on both, with weights that keep its height.
struct AtomPlanes {
  /// How far along the beam the potential of an atom is taken to reach.
  static constexpr double kReach_A = 3;

  double spacing_A = 0.25;
  std::size_t per_slice = 8;
  std::vector<SliceAtoms> planes;

  AtomPlanes() = default;
  /// Planes at most 0.25 Å apart, and four to a slice down to 0.125 Å.
  AtomPlanes(double slice_thickness_A, std::size_t slices);
  std::size_t slices() const { return planes.empty() ? 0 : (planes.size() - 1) / per_slice; }
  /// Adds an atom `depth_A` below the top face of slice 0; beyond either end it goes to the end.
  void add(std::uint8_t atomic_number, const PlacedAtom& atom, double depth_A);
  /// kReach_A in planes. About 1e-3 of an atom's potential lies farther away; the slice at that distance gets
  /// it.
  std::size_t reach() const;
  /// First and last slice that feel an atom on a plane.
  std::array<std::size_t, 2> slices_felt(std::size_t plane) const;
};

/// Builds slices of one grid, two at a time. The potential is the Fourier series h²/(2 pi m0 e) sum f(k)
/// exp(-2 pi i k r) / area on the whole FFT grid, not band-limited. Structure factors come from atoms spread
/// with an exponential of a semicircle on a grid twice as fine, divided by its transform (Barnett et al.
/// 2019, SIAM J. Sci. Comput. 41, C479): exact positions, to about 1e-6 of the largest value. Scattering
/// factors are real, so two slices share their transforms as the real and the imaginary part of one complex
/// potential.
class PotentialBuilder {
 public:
  /// Two slices of atoms; null for none.
  using SlicePair = std::array<const SliceAtoms*, 2>;

  PotentialBuilder(const FftGrid& grid, double voltage_kV, Parametrization parametrization,
                   std::size_t phase_oversampling = 1);
  ~PotentialBuilder();
  PotentialBuilder(PotentialBuilder&&) noexcept;

  const FftGrid& grid() const;
  /// Room for ny values and for reading 16 at a time from any of them: the extent of a transmission function
  /// along y.
  std::size_t column_room() const;
  /// Potentials in V Å on the grid where their phases are taken, each of shape (ny, nx) times
  /// phase_oversampling; an empty view for a slice that is null. Positions are wrapped into the grid.
  void projected_potentials(const SlicePair& atoms, const std::array<View<float, 2>, 2>& potentials);
  /// Band-limited transmission functions exp(i sigma v), each of shape (2: real and imaginary part; nx;
  /// column_room()); an empty view for a slice that is null.
  void transmissions(const SlicePair& atoms, const std::array<View<float, 3>, 2>& transmissions);

  /// The same for slices that hold the integral of the potential over their own thickness; the end slices
  /// also what lies beyond them, so that all slices add up to the projected potential. One view per slice;
  /// empty for a slice that is not wanted.
  void finite_potentials(const AtomPlanes& atoms, std::span<const View<float, 2>> potentials);
  void finite_transmissions(const AtomPlanes& atoms, std::span<const View<float, 3>> transmissions);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aetos::multislice
