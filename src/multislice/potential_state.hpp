#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <vector>

#include "aetos/multislice/potential.hpp"
#include "columns.hpp"
#include "potential_axis.hpp"
#include "spreading.hpp"

/// What a PotentialBuilder works with: potential.cpp and finite_potential.cpp share it.
namespace aetos::multislice {

/// Columns of one transform: a block for each kLanes frequencies along x, `rows` values in each column.
class ColumnArray {
 public:
  ColumnArray(std::size_t columns, std::size_t rows)
      : values_({round_up(columns, kLanes) / kLanes, block_stride(rows)}) {}
  ColumnBlocks blocks() { return {values_.data(), values_.extent(1)}; }
  std::size_t count() const { return values_.extent(0); }
  ComplexLane* block(std::size_t b) { return &values_(b, 0); }
  void clear() { std::fill(values_.begin(), values_.end(), ComplexLane{}); }

 private:
  Array<ComplexLane, 2> values_;
};

/// What lies more than n planes above an atom, in V Å per unit of a species' structure factor: n = 0, 1, ...
using FiniteFactors = std::vector<Array<Lane, 2>>;

/// The share of an atom's potential that a slice holds, as a sum of tables: the whole one and two of those of
/// what lies beyond n planes; null for none.
struct Share {
  float whole = 0;
  std::array<const Array<Lane, 2>*, 2> beyond{};
  std::array<float, 2> sign{};

  /// Adds the part above a face `n` planes below the atom (negative: above it), times `factor`.
  void add_above(std::ptrdiff_t n, float factor, const FiniteFactors& factors) {
    if (n >= 0) whole += factor;
    const auto distance = static_cast<std::size_t>(std::abs(n));
    if (distance >= factors.size()) return;
    const std::size_t at = beyond[0] ? 1 : 0;
    beyond[at] = &factors[distance];
    sign[at] = n >= 0 ? -factor : factor;
  }
};

struct PotentialBuilder::State {
  FftGrid grid;
  Parametrization parametrization;
  double sigma;  ///< rad / (V Å)
  PotentialAxis x, y;
  std::map<std::uint8_t, Array<Lane, 2>> potential_of;  ///< V Å per unit of a species' structure factor
  Array<Lane, 2> band;                                  ///< the limit, over the phase grid's size
  std::map<std::uint8_t, FiniteFactors> finite_of;      ///< for planes `finite_spacing_A` apart
  double finite_spacing_A = 0;
  std::vector<ColumnArray> finite_spectra;  ///< of slices s and s + half the slices
  SpreadAtoms spread;
  Array<ComplexLane, 1> rows, phasors;  ///< kLanes rows of any of the grids
  ColumnArray fine, spectrum, limited;
  std::array<ColumnArray, 2> waves;  ///< of each slice

  State(const FftGrid& g, double voltage_kV, Parametrization p, std::size_t refine);
  /// A factor of k² for each pair of frequencies, times what takes a structure factor to a potential.
  Array<Lane, 2> factors_per_atom(const std::function<double(double)>& factor);
  const Array<Lane, 2>& potential_factors(std::uint8_t atomic_number);
  bool transform_atoms(std::uint8_t atomic_number, const SlicePair& atoms);
  void add_species(std::uint8_t atomic_number, const SlicePair& atoms);
  void build_spectrum(const SlicePair& atoms);
  const FiniteFactors& finite_factors(std::uint8_t atomic_number, const AtomPlanes& atoms);
  void add_finite_species(std::uint8_t atomic_number, const AtomPlanes& atoms);
  void add_share(const Share& share, const Array<Lane, 2>& whole, ColumnArray& sum);
  void build_finite_spectra(const AtomPlanes& atoms);
  template <class Visit>
  void potential_rows(ColumnArray& of, Visit visit);
  void write_potentials(ColumnArray& of, const std::array<View<float, 2>, 2>& potentials);
  void write_transmissions(ColumnArray& of, const std::array<View<float, 3>, 2>& transmissions);
  void limit_wave(ColumnArray& wave, View<float, 3> transmission);
};

}  // namespace aetos::multislice
