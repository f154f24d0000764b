#include "window_waves.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::multislice {
namespace {

using Complex = WindowWaves::Complex;

fftwf_complex* fftw(Complex* p) {
  return reinterpret_cast<fftwf_complex*>(p);
}

std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// a[i] *= b[i] for n complex values.
inline void multiply(Complex* __restrict__ a, const Complex* __restrict__ b, std::size_t n) {
  float* __restrict__ x = reinterpret_cast<float*>(a);
  const float* __restrict__ y = reinterpret_cast<const float*>(b);
  for (std::size_t i = 0; i < 2 * n; i += 2) {
    const float re = x[i] * y[i] - x[i + 1] * y[i + 1];
    const float im = x[i] * y[i + 1] + x[i + 1] * y[i];
    x[i] = re;
    x[i + 1] = im;
  }
}

/// exp(-2 pi i k x) for all k of an axis.
std::vector<std::complex<double>> ramp(std::size_t n, double pixel_A, double x_A) {
  std::vector<std::complex<double>> values(n);
  const double step = -2 * kPi * x_A / (static_cast<double>(n) * pixel_A);
  for (std::size_t i = 0; i < n; ++i)
    values[i] = std::polar(1.0, step * static_cast<double>(fft::frequency(i, n)));
  return values;
}

}  // namespace

WindowWaves::WindowWaves(const FftGrid& window, double voltage_kV, double slice_thickness_A)
    : grid_(window), wavelength_A_(electron_wavelength_A(voltage_kV)), thickness_A_(slice_thickness_A) {
  // A row length that is a multiple of 512 bytes would put a block's rows into few sets of the cache.
  stride_ = round_up(grid_.nx, kBlock);
  if (stride_ % 64 == 0) stride_ += kBlock;

  const double limit = BandLimit::of(grid_.dx_A, grid_.dy_A).end;
  const auto highest = std::min(static_cast<std::size_t>(limit / grid_.dkx()), (grid_.nx - 1) / 2);
  gap_begin_ = round_up(highest + 1, kBlock);
  gap_end_ = (grid_.nx - highest) / kBlock * kBlock;
  if (gap_begin_ >= gap_end_) gap_begin_ = gap_end_ = round_up(grid_.nx, kBlock);
  for (std::size_t c = 0; c < gap_begin_; c += kBlock) blocks_.push_back(c);
  for (std::size_t c = gap_end_; c < grid_.nx; c += kBlock) blocks_.push_back(c);

  Array<Complex, 1> scratch({wave_size()});
  const int nx = static_cast<int>(grid_.nx), ny = static_cast<int>(grid_.ny), s = static_cast<int>(stride_);
  fftwf_complex* p = fftw(scratch.data());
  row_back_.reset(fftwf_plan_dft_1d(nx, p, p, FFTW_BACKWARD, FFTW_ESTIMATE));
  row_forward_.reset(fftwf_plan_dft_1d(nx, p, p, FFTW_FORWARD, FFTW_ESTIMATE));
  const auto columns = [&](int sign) {
    return fftwf_plan_many_dft(1, &ny, kBlock, p, nullptr, s, 1, p, nullptr, s, 1, sign, FFTW_ESTIMATE);
  };
  column_back_.reset(columns(FFTW_BACKWARD));
  column_forward_.reset(columns(FFTW_FORWARD));
}

const Complex* WindowWaves::propagator(std::size_t slices) {
  Array<Complex, 3>& table = propagators_[slices];
  if (!table.empty()) return table.data();
  Array<Complex, 3> made({blocks_.size(), grid_.ny, kBlock});
  const BandLimit limit = BandLimit::of(grid_.dx_A, grid_.dy_A);
  const double distance = static_cast<double>(slices) * thickness_A_;
  for (std::size_t b = 0; b < blocks_.size(); ++b)
    for (std::size_t j = 0; j < grid_.ny; ++j)
      for (std::size_t c = 0; c < kBlock && blocks_[b] + c < grid_.nx; ++c) {
        const double kx = grid_.kx(blocks_[b] + c), ky = grid_.ky(j);
        const double k2 = kx * kx + ky * ky;
        const double amplitude =
            std::pow(limit(std::sqrt(k2)), static_cast<double>(slices)) / static_cast<double>(grid_.size());
        made(b, j, c) = Complex(std::polar(amplitude, -kPi * wavelength_A_ * distance * k2));
      }
  table = std::move(made);
  return table.data();
}

void WindowWaves::start(View<const Complex, 2> spectrum, double x_A, double y_A, std::size_t slices,
                        Complex* wave) {
  const auto ramp_x = ramp(grid_.nx, grid_.dx_A, x_A), ramp_y = ramp(grid_.ny, grid_.dy_A, y_A);
  const Complex* p = slices > 0 ? propagator(slices) : nullptr;
  const auto unscale = static_cast<float>(grid_.size());
  std::fill_n(wave, wave_size(), Complex{});
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    const std::size_t width = std::min(kBlock, grid_.nx - blocks_[b]);
    for (std::size_t j = 0; j < grid_.ny; ++j)
      for (std::size_t c = 0; c < width; ++c) {
        const std::size_t i = blocks_[b] + c;
        Complex value = spectrum(j, i);
        if (value == Complex{}) continue;
        value *= Complex(ramp_x[i] * ramp_y[j]);
        if (p) value *= p[(b * grid_.ny + j) * kBlock + c] * unscale;
        wave[j * stride_ + i] = value;
      }
    fftwf_execute_dft(column_back_.get(), fftw(wave + blocks_[b]), fftw(wave + blocks_[b]));
  }
}

void WindowWaves::transmit_rows(Complex* wave, const Complex* transmission,
                                std::size_t transmission_stride) const {
  for (std::size_t j = 0; j < grid_.ny; ++j) {
    Complex* row = wave + j * stride_;
    fftwf_execute_dft(row_back_.get(), fftw(row), fftw(row));
    multiply(row, transmission + j * transmission_stride, grid_.nx);
    fftwf_execute_dft(row_forward_.get(), fftw(row), fftw(row));
    std::fill(row + gap_begin_, row + std::max(gap_begin_, gap_end_), Complex{});
  }
}

void WindowWaves::step(Complex* wave, const Complex* transmission, std::size_t transmission_stride,
                       std::size_t slices) {
  const Complex* p = propagator(slices);
  transmit_rows(wave, transmission, transmission_stride);
  for (const std::size_t first : blocks_) {
    Complex* column = wave + first;
    fftwf_execute_dft(column_forward_.get(), fftw(column), fftw(column));
    for (std::size_t j = 0; j < grid_.ny; ++j, p += kBlock) multiply(column + j * stride_, p, kBlock);
    fftwf_execute_dft(column_back_.get(), fftw(column), fftw(column));
  }
}

void WindowWaves::finish(Complex* wave, const Complex* transmission, std::size_t transmission_stride,
                         std::size_t slices, View<float, 2> intensity) {
  const Complex* p = propagator(slices);
  transmit_rows(wave, transmission, transmission_stride);
  for (const std::size_t first : blocks_) {
    Complex* column = wave + first;
    const std::size_t width = std::min(kBlock, grid_.nx - first);
    fftwf_execute_dft(column_forward_.get(), fftw(column), fftw(column));
    for (std::size_t j = 0; j < grid_.ny; ++j, p += kBlock) {
      multiply(column + j * stride_, p, kBlock);
      for (std::size_t c = 0; c < width; ++c) intensity(j, first + c) = std::norm(column[j * stride_ + c]);
    }
  }
}

}  // namespace aetos::multislice
