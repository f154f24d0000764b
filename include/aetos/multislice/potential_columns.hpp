#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "aetos/multislice/grid.hpp"
#include "aetos/multislice/potential.hpp"

namespace aetos::multislice {

/// The potential's Fourier series on some columns of the reciprocal grid, for cells that several ranks share:
/// the same as PotentialBuilder's, with the phases of the atoms written out along x and spread along y.
class PotentialColumns {
 public:
  /// Frequencies first..first + count along x.
  PotentialColumns(const FftGrid& grid, Parametrization parametrization, std::size_t first,
                   std::size_t count);

  /// Spectrum of two slices of atoms (null for none) whose unnormalised backward transform is the potential
  /// in V Å of the first in its real part, of the second in its imaginary part. Shape (column, ny).
  void spectrum(const PotentialBuilder::SlicePair& atoms, std::span<std::complex<float>> columns);

 private:
  using Complex = std::complex<float>;
  /// One atom along y, and its phase at the column at hand.
  struct Bump {
    double x_A;
    std::size_t row;
    std::vector<float> weight;
    std::complex<double> phase, step;
  };
  void add_species(std::uint8_t atomic_number, const PotentialBuilder::SlicePair& atoms,
                   std::span<Complex> columns);
  std::vector<Bump> bumps_of(std::uint8_t atomic_number, const PotentialBuilder::SlicePair& atoms) const;
  const std::vector<float>& factors(std::uint8_t atomic_number);

  FftGrid grid_;
  Parametrization parametrization_;
  std::size_t first_, count_;
  double largest_k_;
  std::vector<double> deconvolution_;                   ///< by |frequency| along y
  std::map<std::uint8_t, std::vector<float>> factors_;  ///< V Å per structure factor, at equal steps of |k|
  std::vector<Complex> line_;
  fft::PlanF forward_;
};

}  // namespace aetos::multislice
