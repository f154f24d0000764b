#pragma once

#include <complex>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/partition.hpp"

namespace aetos {

/// Complex transforms of two- and three-dimensional arrays that a group of ranks holds together, by FFTW's
/// MPI transforms: in place, in single precision, unnormalised, forward with the sign exp(-2 pi i k x),
/// planned with FFTW_ESTIMATE. A rank's memory is its share of the array, and a buffer of the same size that
/// FFTW may take for transposing.
///
/// Before a forward transform a rank holds the slab `rows` of the first axis: (its rows, n1[, n2]). After it
/// the first two axes are exchanged, which saves half of the communication, and the rank holds the slab
/// `columns` of the second: (its columns, n0[, n2]). A group of one rank exchanges the axes all the same, so
/// that callers are alike on any number of ranks; results agree between group sizes to rounding.
class SlabFft {
 public:
  using Complex = std::complex<float>;

  /// `shape`: two or three sizes. Slabs of rows are cut at multiples of `row_multiple` (1 where nothing else
  /// is asked). Ranks may be left without rows or columns. Collective over `group`, as all calls are.
  SlabFft(const Communicator& group, std::vector<std::size_t> shape, std::size_t row_multiple = 1);
  ~SlabFft();
  SlabFft(SlabFft&&) noexcept;

  Range rows() const;
  Range columns() const;
  /// This rank's slab, before or after a transform.
  std::span<Complex> row_data();
  std::span<Complex> column_data();
  std::span<const Complex> column_data() const;

  void forward();   ///< rows to columns
  void backward();  ///< columns to rows

  /// Bytes that this rank holds, FFTW's own buffer not counted.
  std::size_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aetos
