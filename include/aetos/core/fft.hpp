#pragma once

#include <fftw3.h>

#include <cstddef>
#include <memory>
#include <type_traits>

/// FFTW's plans as owned values. Everything is planned with FFTW_ESTIMATE on one thread: such plans repeat bit for
/// bit from run to run (MEASURE does not), and at the sizes used here are as fast (docs/performance.md).
/// Transforms are unnormalised; forward has the sign exp(-2 pi i k x).
namespace aetos::fft {

struct DestroyPlan {
  void operator()(fftwf_plan p) const { fftwf_destroy_plan(p); }
  void operator()(fftw_plan p) const { fftw_destroy_plan(p); }
};
using PlanF = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, DestroyPlan>;
using PlanD = std::unique_ptr<std::remove_pointer_t<fftw_plan>, DestroyPlan>;

/// The smallest size >= n of the form 2^a 3^b 5^c (7 and up are slower in FFTW) that is a multiple of `multiple`.
std::size_t fast_size(std::size_t n, std::size_t multiple = 2);

/// Signed frequency index of FFT bin i of n: 0, 1, ..., -1 (n even: -n/2 for the Nyquist bin).
constexpr std::ptrdiff_t frequency(std::size_t i, std::size_t n) {
  const auto s = static_cast<std::ptrdiff_t>(i);
  const auto m = static_cast<std::ptrdiff_t>(n);
  return s < (m + 1) / 2 ? s : s - m;
}

}  // namespace aetos::fft
