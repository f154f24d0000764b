#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "aetos/multislice/potential.hpp"
#include "lanes.hpp"

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

/// The atoms of two slices, one as the real and one as the imaginary part of a grid of 2 ny x 2 nx pixels,
/// half those of `grid`; it wraps.
class SpreadAtoms {
 public:
  explicit SpreadAtoms(const FftGrid& grid) : nx_(2 * grid.nx), ny_(2 * grid.ny), grid_(grid) {}

  void clear() { bumps_.clear(); }
  void add(std::span<const PlacedAtom> atoms, bool imaginary);
  /// Adds what falls on rows y..y + kLanes - 1 to `rows` (element x, lane y). False where nothing does.
  bool add_to_rows(std::size_t y, ComplexLane* rows) const;

 private:
  static constexpr std::size_t kWidth = SpreadingKernel::kWidth;
  struct Bump {
    std::size_t column, row;  ///< the first it touches
    std::array<float, kWidth> weight_x, weight_y;
    bool imaginary;
  };

  std::size_t nx_, ny_;
  FftGrid grid_;
  std::vector<Bump> bumps_;
};

}  // namespace aetos::multislice
