#include "window_waves.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/units.hpp"
#include "columns.hpp"

namespace aetos::multislice {
namespace {

/// FFT indices whose frequency lies within the limit, in order: 0, 1, ..., -1.
std::vector<std::size_t> indices_within(std::size_t n, double dk, double limit) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < n; ++i)
    if (std::abs(static_cast<double>(fft::frequency(i, n))) * dk <= limit) indices.push_back(i);
  return indices;
}

std::complex<double> ramp(std::size_t i, std::size_t n, double dk, double x_A) {
  return std::polar(1.0, -2 * kPi * dk * x_A * static_cast<double>(fft::frequency(i, n)));
}

}  // namespace

WindowWaves::WindowWaves(const FftGrid& window, double voltage_kV, double slice_thickness_A)
    : grid_(window),
      wavelength_A_(electron_wavelength_A(voltage_kV)),
      thickness_A_(slice_thickness_A),
      rows_(window.nx),
      columns_fft_(window.ny),
      columns_(indices_within(window.nx, window.dkx(), BandLimit::of(window.dx_A, window.dy_A).end)),
      blocks_(round_up(columns_.size(), kLanes) / kLanes),
      // Sixteen rows more than needed: blocks a power of two apart would fall into few sets of the cache.
      block_stride_(round_up(window.ny, kLanes) + kLanes),
      norm_(static_cast<double>(window.size())),
      scratch_({window.nx}) {
  std::vector<bool> used(grid_.nx, false);
  for (const std::size_t i : columns_) used[i] = true;
  for (std::size_t i = 0; i < grid_.nx; ++i)
    if (!used[i]) gap_.push_back(i);
  calibrate();
}

/// Propagates a disc through vacuum. Rounded twiddle factors change its intensity by 1e-7 per slice, always
/// the same way, which would add up in a thick specimen; the propagators' norm takes it out.
void WindowWaves::calibrate() {
  constexpr int kSteps = 16;
  const double radius = 0.5 * BandLimit::of(grid_.dx_A, grid_.dy_A).end;
  Array<std::complex<double>, 2> disc({grid_.ny, grid_.nx});
  for (std::size_t j = 0; j < grid_.ny; ++j)
    for (std::size_t i = 0; i < grid_.nx; ++i)
      if (std::hypot(grid_.kx(i), grid_.ky(j)) <= radius) disc(j, i) = 1;
  add_probe(disc);
  Array<float, 3> vacuum({2, grid_.nx, grid_.ny + kLanes});
  std::fill_n(vacuum.data(), vacuum.size() / 2, 1.0f);
  const TransmissionView view{vacuum.data(), vacuum.data() + vacuum.size() / 2, grid_.ny + kLanes};
  Array<ComplexLane, 1> wave({wave_size()});
  const auto power = [&wave] {
    double sum = 0;
    for (const ComplexLane& v : wave)
      for (std::size_t l = 0; l < kLanes; ++l)
        sum += static_cast<double>(v.re[l]) * static_cast<double>(v.re[l]) +
               static_cast<double>(v.im[l]) * static_cast<double>(v.im[l]);
    return sum;
  };
  start(0, 0.3 * grid_.dx_A, 0.1 * grid_.dy_A, 1, wave.data());
  const double before = power();
  for (int s = 0; s < kSteps; ++s) step(wave.data(), view, 1);
  norm_ *= std::pow(power() / before, 0.5 / kSteps);
  propagators_.clear();
  clear_probes();
}

void WindowWaves::add_probe(View<const std::complex<double>, 2> spectrum) {
  Array<ComplexLane, 2>& probe = probes_.emplace_back(Shape<2>{blocks_, grid_.ny});
  for (std::size_t b = 0; b < blocks_; ++b)
    for (std::size_t j = 0; j < grid_.ny; ++j)
      for (std::size_t l = 0; l < width(b); ++l) {
        const auto& value = spectrum(columns_fft_.order()[j], columns_[b * kLanes + l]);
        probe(b, j).re[l] = static_cast<float>(value.real());
        probe(b, j).im[l] = static_cast<float>(value.imag());
      }
}

const ComplexLane* WindowWaves::propagator(std::size_t slices) {
  Array<ComplexLane, 2>& table = propagators_[slices];
  if (!table.empty()) return table.data();
  table = Array<ComplexLane, 2>({blocks_, grid_.ny});
  const BandLimit limit = BandLimit::of(grid_.dx_A, grid_.dy_A);
  const double distance = static_cast<double>(slices) * thickness_A_;
  for (std::size_t b = 0; b < blocks_; ++b)
    for (std::size_t j = 0; j < grid_.ny; ++j)
      for (std::size_t l = 0; l < width(b); ++l) {
        const double kx = grid_.kx(columns_[b * kLanes + l]), ky = grid_.ky(columns_fft_.order()[j]);
        const double k2 = kx * kx + ky * ky;
        const double amplitude = std::pow(limit(std::sqrt(k2)), static_cast<double>(slices)) / norm_;
        const double phase = -kPi * wavelength_A_ * distance * k2;
        table(b, j).re[l] = static_cast<float>(amplitude * std::cos(phase));
        table(b, j).im[l] = static_cast<float>(amplitude * std::sin(phase));
      }
  return table.data();
}

void WindowWaves::start(std::size_t probe, double x_A, double y_A, std::size_t slices, ComplexLane* wave) {
  const ComplexLane* p = slices > 0 ? propagator(slices) : nullptr;
  const auto unscale = static_cast<float>(norm_);
  std::vector<std::complex<double>> ramp_y(grid_.ny);
  for (std::size_t j = 0; j < grid_.ny; ++j)
    ramp_y[j] = ramp(columns_fft_.order()[j], grid_.ny, grid_.dky(), y_A);
  for (std::size_t b = 0; b < blocks_; ++b) {
    ComplexLane ramp_x{};
    for (std::size_t l = 0; l < width(b); ++l) {
      const auto value = ramp(columns_[b * kLanes + l], grid_.nx, grid_.dkx(), x_A);
      ramp_x.re[l] = static_cast<float>(value.real());
      ramp_x.im[l] = static_cast<float>(value.imag());
    }
    ComplexLane* block = wave + b * block_stride_;
    for (std::size_t j = 0; j < grid_.ny; ++j) {
      const ComplexLane shift =
          rotate<1>(ramp_x, static_cast<float>(ramp_y[j].real()), static_cast<float>(ramp_y[j].imag()));
      block[j] = probes_[probe](b, j) * shift;
      if (p) block[j] = block[j] * p[b * grid_.ny + j] * unscale;
    }
    std::fill(block + grid_.ny, block + block_stride_, ComplexLane{});
    columns_fft_.from_scrambled<1>(block);
  }
}

void WindowWaves::rows_to_scratch(const ComplexLane* wave, std::size_t first_row) {
  for (const std::size_t i : gap_) scratch_(i) = ComplexLane{};
  for (std::size_t b = 0; b < blocks_; ++b) {
    const ComplexLane* block = wave + b * block_stride_ + first_row;
    const std::size_t* column = columns_.data() + b * kLanes;
    Lane part[kLanes];
    for (std::size_t r = 0; r < kLanes; ++r) part[r] = block[r].re;
    transpose(part);
    for (std::size_t l = 0; l < width(b); ++l) scratch_(column[l]).re = part[l];
    for (std::size_t r = 0; r < kLanes; ++r) part[r] = block[r].im;
    transpose(part);
    for (std::size_t l = 0; l < width(b); ++l) scratch_(column[l]).im = part[l];
  }
}

void WindowWaves::scratch_to_rows(ComplexLane* wave, std::size_t first_row) const {
  for (std::size_t b = 0; b < blocks_; ++b) {
    ComplexLane* block = wave + b * block_stride_ + first_row;
    const std::size_t* column = columns_.data() + b * kLanes;
    Lane part[kLanes] = {};
    for (std::size_t l = 0; l < width(b); ++l) part[l] = scratch_(column[l]).re;
    transpose(part);
    for (std::size_t r = 0; r < kLanes; ++r) block[r].re = part[r];
    for (std::size_t l = 0; l < width(b); ++l) part[l] = scratch_(column[l]).im;
    for (std::size_t l = width(b); l < kLanes; ++l) part[l] = Lane{};
    transpose(part);
    for (std::size_t r = 0; r < kLanes; ++r) block[r].im = part[r];
  }
}

void WindowWaves::transmit_rows(ComplexLane* wave, const TransmissionView& transmission) {
  const std::uint32_t* order = rows_.order().data();
  for (std::size_t y = 0; y < grid_.ny; y += kLanes) {
    rows_to_scratch(wave, y);
    rows_.filter<1>(scratch_.data(), [&](std::size_t i, const ComplexLane& value) {
      const std::size_t at = order[i] * transmission.stride + y;
      ComplexLane t;
      load(t.re, transmission.re + at);
      load(t.im, transmission.im + at);
      return value * t;
    });
    scratch_to_rows(wave, y);
  }
}

void WindowWaves::step(ComplexLane* wave, const TransmissionView& transmission, std::size_t slices) {
  const ComplexLane* p = propagator(slices);
  transmit_rows(wave, transmission);
  for (std::size_t b = 0; b < blocks_; ++b, p += grid_.ny)
    columns_fft_.filter<-1>(wave + b * block_stride_,
                            [p](std::size_t i, const ComplexLane& value) { return value * p[i]; });
}

void WindowWaves::finish(ComplexLane* wave, const TransmissionView& transmission, std::size_t slices,
                         View<float, 2> intensity) {
  const ComplexLane* p = propagator(slices);
  transmit_rows(wave, transmission);
  for (std::size_t b = 0; b < blocks_; ++b, p += grid_.ny) {
    ComplexLane* block = wave + b * block_stride_;
    columns_fft_.to_scrambled<-1>(block);
    const std::size_t* column = columns_.data() + b * kLanes;
    for (std::size_t j = 0; j < grid_.ny; ++j) {
      const ComplexLane value = block[j] * p[j];
      const Lane power = value.re * value.re + value.im * value.im;
      float* row = &intensity(columns_fft_.order()[j], 0);
      for (std::size_t l = 0; l < width(b); ++l) row[column[l]] = power[l];
    }
  }
}

}  // namespace aetos::multislice
