#include "aetos/parallel/slab_fft.hpp"

#include <fftw3-mpi.h>

#include <algorithm>
#include <new>
#include <numeric>
#include <stdexcept>

#include "aetos/core/fft.hpp"

namespace aetos {
namespace {

struct Free {
  void operator()(fftwf_complex* p) const { fftwf_free(p); }
};

Range range_of(std::ptrdiff_t begin, std::ptrdiff_t count) {
  return {static_cast<std::size_t>(begin), static_cast<std::size_t>(begin + count)};
}

/// Equal slabs, whole multiples of `multiple`; the last ones may be shorter or empty.
std::ptrdiff_t slab_size(std::size_t n, std::size_t parts, std::size_t multiple) {
  const std::size_t each = (n + parts - 1) / parts;
  return static_cast<std::ptrdiff_t>((each + multiple - 1) / multiple * multiple);
}

}  // namespace

struct SlabFft::State {
  Communicator group;
  Range rows, columns;
  std::size_t row_size = 0, column_size = 0;  ///< values of one row, one column
  std::size_t allocated = 0;                  ///< values
  std::unique_ptr<fftwf_complex, Free> data;
  fft::PlanF forward, backward;
};

SlabFft::SlabFft(const Communicator& group, std::vector<std::size_t> shape, std::size_t row_multiple)
    : state_(new State{Communicator(group.handle()), {}, {}, 0, 0, 0, {}, {}, {}}) {
  if (shape.size() < 2 || shape.size() > 3 || row_multiple == 0)
    throw std::invalid_argument("a distributed transform has two or three axes");
  fftwf_mpi_init();  // may be called again
  State& s = *state_;
  const auto ranks = static_cast<std::size_t>(group.size());
  const int rank = static_cast<int>(shape.size());
  const std::vector<std::ptrdiff_t> n(shape.begin(), shape.end());
  const std::ptrdiff_t row_slab = slab_size(shape[0], ranks, row_multiple),
                       column_slab = slab_size(shape[1], ranks, 1);
  std::ptrdiff_t rows = 0, first_row = 0, columns = 0, first_column = 0;
  const std::ptrdiff_t size = fftwf_mpi_local_size_many_transposed(
      rank, n.data(), 1, row_slab, column_slab, s.group.handle(), &rows, &first_row, &columns, &first_column);
  s.rows = range_of(first_row, rows);
  s.columns = range_of(first_column, columns);
  const std::size_t rest = shape.size() == 3 ? shape[2] : 1;
  s.row_size = shape[1] * rest;
  s.column_size = shape[0] * rest;
  s.allocated = static_cast<std::size_t>(std::max<std::ptrdiff_t>(size, 1));
  s.group.agree([&] {
    s.data.reset(fftwf_alloc_complex(s.allocated));
    if (!s.data) throw std::bad_alloc();
  });
  std::fill_n(reinterpret_cast<Complex*>(s.data.get()), s.allocated, Complex{});
  // Block sizes are those of the input and of the output.
  const auto plan = [&](int sign, unsigned order, std::ptrdiff_t from, std::ptrdiff_t to) {
    return fft::PlanF(fftwf_mpi_plan_many_dft(rank, n.data(), 1, from, to, s.data.get(), s.data.get(),
                                              s.group.handle(), sign, FFTW_ESTIMATE | order));
  };
  s.forward = plan(FFTW_FORWARD, FFTW_MPI_TRANSPOSED_OUT, row_slab, column_slab);
  s.backward = plan(FFTW_BACKWARD, FFTW_MPI_TRANSPOSED_IN, column_slab, row_slab);
  if (s.group.any(!s.forward || !s.backward))
    throw std::runtime_error("FFTW has no plan for this distributed transform");
}

SlabFft::~SlabFft() = default;
SlabFft::SlabFft(SlabFft&&) noexcept = default;

Range SlabFft::rows() const {
  return state_->rows;
}

Range SlabFft::columns() const {
  return state_->columns;
}

std::span<SlabFft::Complex> SlabFft::row_data() {
  return {reinterpret_cast<Complex*>(state_->data.get()), state_->rows.size() * state_->row_size};
}

std::span<SlabFft::Complex> SlabFft::column_data() {
  return {reinterpret_cast<Complex*>(state_->data.get()), state_->columns.size() * state_->column_size};
}

std::span<const SlabFft::Complex> SlabFft::column_data() const {
  return {reinterpret_cast<const Complex*>(state_->data.get()), state_->columns.size() * state_->column_size};
}

void SlabFft::forward() {
  fftwf_execute(state_->forward.get());
}

void SlabFft::backward() {
  fftwf_execute(state_->backward.get());
}

std::size_t SlabFft::bytes() const {
  return state_->allocated * sizeof(Complex);
}

}  // namespace aetos
