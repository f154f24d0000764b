#pragma once

#include <complex>
#include <cstdint>
#include <map>
#include <memory>
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

/// Builds slices of one grid. The potential is the Fourier series h²/(2 pi m0 e) sum f(k) exp(-2 pi i k r) /
/// area on the whole FFT grid, not band-limited. Structure factors come from atoms spread with an exponential
/// of a semicircle on a grid twice as fine, divided by its transform (Barnett et al. 2019, SIAM J. Sci.
/// Comput. 41, C479): exact positions, to about 1e-6 of the largest value.
class PotentialBuilder {
 public:
  PotentialBuilder(const FftGrid& grid, double voltage_kV, Parametrization parametrization,
                   std::size_t phase_oversampling = 1);
  ~PotentialBuilder();
  PotentialBuilder(PotentialBuilder&&) noexcept;

  const FftGrid& grid() const;
  /// Potential in V Å on the grid where its phase is taken, shape (ny, nx) times phase_oversampling.
  /// Positions are wrapped into the grid.
  void projected_potential(const SliceAtoms& atoms, View<float, 2> potential);
  /// Band-limited transmission function exp(i sigma v), shape (ny, nx).
  void transmission(const SliceAtoms& atoms, View<std::complex<float>, 2> transmission);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aetos::multislice
