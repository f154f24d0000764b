#include "aetos/parallel/slab_fft.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/fft.hpp"
#include "aetos/core/random.hpp"
#include "support/ranks.hpp"

namespace aetos {
namespace {

using Complex = std::complex<float>;

std::vector<Complex> noise(std::size_t n) {
  std::vector<Complex> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto g = random::normal4(5, random::Domain::test, {0, 0, i});
    values[i] = {static_cast<float>(g[0]), static_cast<float>(g[1])};
  }
  return values;
}

/// FFTW's serial transform of the whole array.
std::vector<Complex> transformed(std::vector<Complex> values, const std::vector<std::size_t>& shape) {
  const std::vector<int> n(shape.begin(), shape.end());
  auto* p = reinterpret_cast<fftwf_complex*>(values.data());
  const fft::PlanF plan(
      fftwf_plan_dft(static_cast<int>(n.size()), n.data(), p, p, FFTW_FORWARD, FFTW_ESTIMATE));
  fftwf_execute(plan.get());
  return values;
}

double largest(const std::vector<Complex>& values) {
  double most = 0;
  for (const Complex& v : values) most = std::max(most, static_cast<double>(std::abs(v)));
  return most;
}

void agrees_with_one_rank(const Communicator& comm, const std::vector<std::size_t>& shape,
                          std::size_t multiple = 1) {
  const std::size_t rest = shape.size() == 3 ? shape[2] : 1, n0 = shape[0], n1 = shape[1];
  const auto values = noise(n0 * n1 * rest), spectrum = transformed(values, shape);
  SlabFft fft(comm, shape, multiple);
  const Range rows = fft.rows();
  if (!rows.empty()) {
    EXPECT_EQ(rows.begin % multiple, 0u);
  }
  std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(rows.begin * n1 * rest), fft.row_data().size(),
              fft.row_data().begin());
  fft.forward();
  const Range columns = fft.columns();
  double worst = 0;
  for (std::size_t i = 0; i < columns.size(); ++i)
    for (std::size_t j = 0; j < n0; ++j)
      for (std::size_t k = 0; k < rest; ++k) {
        const Complex theirs = spectrum[(j * n1 + columns.begin + i) * rest + k];
        worst = std::max(worst,
                         static_cast<double>(std::abs(fft.column_data()[(i * n0 + j) * rest + k] - theirs)));
      }
  EXPECT_LT(worst, 1e-6 * largest(spectrum));
  fft.backward();
  worst = 0;
  const auto scale = static_cast<float>(n0 * n1 * rest);
  for (std::size_t i = 0; i < fft.row_data().size(); ++i)
    worst = std::max(
        worst, static_cast<double>(std::abs(fft.row_data()[i] / scale - values[rows.begin * n1 * rest + i])));
  EXPECT_LT(worst, 1e-5);
  const auto held = static_cast<std::size_t>(comm.sum(static_cast<std::int64_t>(fft.row_data().size())));
  EXPECT_EQ(held, values.size());
  // A slab of rows or one of columns, whichever is larger.
  const auto ranks = static_cast<std::size_t>(comm.size());
  const std::size_t each = ((n0 + ranks - 1) / ranks + multiple - 1) / multiple * multiple;
  const std::size_t most = std::max(each * n1, (n1 + ranks - 1) / ranks * n0) * rest;
  EXPECT_LE(fft.bytes(), most * sizeof(Complex));
}

void agrees(const Communicator& comm) {
  agrees_with_one_rank(comm, {96, 80});
  agrees_with_one_rank(comm, {60, 96}, 10);
  agrees_with_one_rank(comm, {24, 36, 20});
}

TEST(SlabFft, OneRankAgreesWithFftw) {
  agrees(Communicator(MPI_COMM_SELF));
}

TEST(SlabFft, TwoRanksAgreeWithOne) {
  AETOS_RANKS(comm, 2);
  agrees(comm);
}

TEST(SlabFft, FourRanksAgreeWithOne) {
  AETOS_RANKS(comm, 4);
  agrees(comm);
}

TEST(SlabFft, RanksWithoutRowsAreFine) {
  AETOS_RANKS(comm, 4);
  SlabFft fft(comm, {8, 8}, 4);
  EXPECT_EQ(comm.sum(static_cast<std::int64_t>(fft.rows().size())), 8);
  std::fill(fft.row_data().begin(), fft.row_data().end(), Complex{1, 0});
  fft.forward();
  if (!fft.columns().empty() && fft.columns().begin == 0) {
    EXPECT_NEAR(fft.column_data()[0].real(), 64, 1e-4);
  }
}

}  // namespace
}  // namespace aetos
