#pragma once

#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/multislice/potential.hpp"

/// Atoms as smooth bumps on a grid twice as fine as the potential's, for structure factors at exact
/// positions.
namespace aetos::multislice {

/// The spreading function exp(beta (sqrt(1 - z²) - 1)), z in -1..1 over kWidth fine pixels (Barnett et al.
/// 2019).
struct SpreadingKernel {
  static constexpr std::size_t kWidth = 8;
  static constexpr double kBeta = 2.30 * kWidth;

  static double value(double z);
  /// Fourier transform at `frequency` cycles per fine pixel, in fine pixels.
  static double transform(double frequency);
};

/// Adds the atoms to `fine` (2 ny, 2 nx), whose pixels are half those of `grid`; rows and columns wrap.
void spread_atoms(std::span<const PlacedAtom> atoms, const FftGrid& grid, View<float, 2> fine);

}  // namespace aetos::multislice
