#include "fourier_rows.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/tomography/fourier_slice.hpp"

namespace aetos::tomography {
namespace {

fftwf_complex* as_fftw(Complex* data) {
  return reinterpret_cast<fftwf_complex*>(data);
}

/// At least n floats, an odd number of cache lines: rows that far apart do not share sets of the cache.
std::size_t odd_lines(std::size_t n) {
  constexpr std::size_t line = 16;
  return ((n + line - 1) / line | 1) * line;
}

/// Samples ahead of the one that is read: a line through the spectrum touches two new cache lines at each.
constexpr std::size_t kAhead = 12;

}  // namespace

FourierRows::FourierRows(const Geometry& geometry, const std::array<double, 3>& oversampling_zyx,
                         bool exact_adjoint)
    : lines_(make_lines(geometry)),
      exact_adjoint_(exact_adjoint),
      padded_z_(padded_size(oversampling_zyx[0], lines_.nz)),
      padded_x_(padded_size(oversampling_zyx[2], std::max(lines_.nx, lines_.nu))),
      half_x_(padded_x_ / 2 + 1),
      slice_({lines_.nz, padded_x_}),
      spectrum_({half_x_, padded_z_}),
      line_({half_x_}),
      projected_({padded_x_}),
      block_({kRowBlock, odd_lines(lines_.nz * lines_.nx)}) {
  const double ratio = static_cast<double>(padded_z_) / static_cast<double>(padded_x_);
  for (std::size_t p = 0; p < lines_.along_x.size(); ++p)
    for (std::size_t k = 0; k < half_x_; ++k)
      samples_.push_back(sample(lines_.along_x[p], lines_.along_z[p] * ratio, k));

  // The transform along x writes its result transposed, so that the one along z runs on contiguous columns;
  // planes below the centre go to the columns' ends, where negative coordinates belong.
  const std::size_t centre = centre_index(lines_.nz);
  const int nx = static_cast<int>(padded_x_), nz = static_cast<int>(padded_z_);
  const auto plan_x = [&](std::size_t first_z, std::size_t count, std::size_t column_row) {
    return fft::PlanF(fftwf_plan_many_dft_r2c(1, &nx, static_cast<int>(count), &slice_(first_z, 0), nullptr,
                                              1, nx, as_fftw(&spectrum_(0, column_row)), nullptr, nz, 1,
                                              FFTW_ESTIMATE));
  };
  along_x_upper_ = plan_x(centre, lines_.nz - centre, 0);
  if (centre > 0) along_x_lower_ = plan_x(0, centre, padded_z_ - centre);
  along_z_.reset(fftwf_plan_many_dft(1, &nz, static_cast<int>(half_x_), as_fftw(spectrum_.data()), nullptr, 1,
                                     nz, as_fftw(spectrum_.data()), nullptr, 1, nz, FFTW_FORWARD,
                                     FFTW_ESTIMATE));
  inverse_.reset(fftwf_plan_dft_c2r_1d(nx, as_fftw(line_.data()), projected_.data(), FFTW_ESTIMATE));
  if (!exact_adjoint_) return;
  line_transform_.reset(fftwf_plan_dft_r2c_1d(nx, projected_.data(), as_fftw(line_.data()), FFTW_ESTIMATE));
  back_along_z_.reset(fftwf_plan_many_dft(1, &nz, static_cast<int>(half_x_), as_fftw(spectrum_.data()),
                                          nullptr, 1, nz, as_fftw(spectrum_.data()), nullptr, 1, nz,
                                          FFTW_BACKWARD, FFTW_ESTIMATE));
  back_along_x_.reset(fftwf_plan_dft_c2r_1d(nx, as_fftw(line_.data()), projected_.data(), FFTW_ESTIMATE));
}

FourierRows::Sample FourierRows::sample(double step_x, double step_z, std::size_t k) const {
  double kx = step_x * static_cast<double>(k), kz = step_z * static_cast<double>(k);
  // The code takes the real part of the inverse transform, which is the inverse transform of (L(k) + conj
  // L(-k)) / 2; L(-k) is conj L(k), but at the border of the grid only one of the two may lie inside. Its
  // last bin for an even size has no partner: only L(-k) is there, with its full weight.
  const bool plus = on_grid(kx, padded_x_) && on_grid(kz, padded_z_);
  const bool minus = on_grid(-kx, padded_x_) && on_grid(-kz, padded_z_);
  const bool unpaired = padded_x_ % 2 == 0 && k == padded_x_ / 2;
  const double share = unpaired ? (minus ? 1.0 : 0.0) : ((plus ? 0.5 : 0.0) + (minus ? 0.5 : 0.0));
  if (share == 0) return Sample{};

  const double sign = kx < 0 ? -1 : 1;
  kx *= sign;
  kz *= sign;
  const double x0 = std::min(std::floor(kx), static_cast<double>(half_x_ - 1)), z0 = std::floor(kz);
  const double fx = kx - x0, fz = kz - z0;
  const auto column = static_cast<std::size_t>(x0);
  const auto row = static_cast<std::ptrdiff_t>(z0);
  const double scale = share / static_cast<double>(padded_x_);
  Sample s{};
  s.low = static_cast<std::uint32_t>(column * padded_z_ + wrapped(row, padded_z_));
  s.high = static_cast<std::uint32_t>(column * padded_z_ + wrapped(row + 1, padded_z_));
  s.next_column = static_cast<std::uint32_t>(column + 1 < half_x_ ? padded_z_ : 0);
  s.low_x0 = static_cast<float>(scale * (1 - fx) * (1 - fz));
  s.high_x0 = static_cast<float>(scale * (1 - fx) * fz);
  s.low_x1 = static_cast<float>(scale * fx * (1 - fz));
  s.high_x1 = static_cast<float>(scale * fx * fz);
  s.sign = static_cast<float>(sign);
  return s;
}

void FourierRows::project_row(const float* slice) {
  for (std::size_t z = 0; z < lines_.nz; ++z)
    wrap_row(slice + z * lines_.nx, lines_.nx, &slice_(z, 0), padded_x_);
  const std::size_t centre = centre_index(lines_.nz);
  for (std::size_t k = 0; k < half_x_; ++k)
    std::fill(&spectrum_(k, 0) + (lines_.nz - centre), &spectrum_(k, 0) + (padded_z_ - centre), Complex{});
  fftwf_execute(along_x_upper_.get());
  if (along_x_lower_) fftwf_execute(along_x_lower_.get());
  fftwf_execute(along_z_.get());
}

void FourierRows::read_line(const Sample* samples) {
  const Complex* grid = spectrum_.data();
  for (std::size_t k = 0; k < half_x_; ++k) {
    const Sample &s = samples[k], &later = samples[std::min(k + kAhead, half_x_ - 1)];
    __builtin_prefetch(grid + later.low);
    __builtin_prefetch(grid + later.low + later.next_column);
    const Complex a = grid[s.low], b = grid[s.high], c = grid[s.low + s.next_column],
                  d = grid[s.high + s.next_column];
    line_(k).re = s.low_x0 * a.re + s.high_x0 * b.re + s.low_x1 * c.re + s.high_x1 * d.re;
    line_(k).im = s.sign * (s.low_x0 * a.im + s.high_x0 * b.im + s.low_x1 * c.im + s.high_x1 * d.im);
  }
}

void FourierRows::forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) {
  const std::size_t rows = volume.extent(2), voxels = lines_.nz * lines_.nx, nu = lines_.nu;
  const std::size_t count = images.extent(0), stride = odd_lines(count * nu);
  Array<float, 2> projected({kRowBlock, stride});
  for (std::size_t y0 = 0; y0 < rows; y0 += kRowBlock) {
    std::array<bool, kRowBlock> holds_something{};
    for (std::size_t i = 0; i < voxels; ++i)
      for (std::size_t j = 0; j < kRowBlock; ++j) {
        const float value = volume.data()[i * rows + y0 + j];
        block_(j, i) = value;
        holds_something[j] |= value != 0;
      }
    for (std::size_t j = 0; j < kRowBlock; ++j) {
      if (!holds_something[j]) {
        std::fill(projected[j].begin(), projected[j].end(), 0.0F);
        continue;
      }
      project_row(&block_(j, 0));
      for (std::size_t p = 0; p < count; ++p) {
        read_line(samples_.data() + (first + p) * half_x_);
        fftwf_execute(inverse_.get());
        unwrap_row(projected_.data(), padded_x_, &projected(j, p * nu), nu);
      }
    }
    for (std::size_t i = 0; i < count * nu; ++i)
      for (std::size_t j = 0; j < kRowBlock; ++j) images.data()[i * rows + y0 + j] = projected(j, i);
  }
}

/// Adds the spectrum in line_, of what a projected row gives back, where read_line reads.
void FourierRows::add_line(const Sample* samples) {
  Complex* grid = spectrum_.data();
  for (std::size_t k = 0; k < half_x_; ++k) {
    const Sample &s = samples[k], &later = samples[std::min(k + kAhead, half_x_ - 1)];
    __builtin_prefetch(grid + later.low, 1);
    __builtin_prefetch(grid + later.low + later.next_column, 1);
    const float times = times_counted(k, padded_x_), re = times * line_(k).re,
                im = times * s.sign * line_(k).im;
    const auto add = [&](std::uint32_t at, float weight) {
      grid[at].re += weight * re;
      grid[at].im += weight * im;
    };
    add(s.low, s.low_x0);
    add(s.high, s.high_x0);
    add(s.low + s.next_column, s.low_x1);
    add(s.high + s.next_column, s.high_x1);
  }
}

/// Planes of the slice whose transform's adjoint holds the spectrum.
void FourierRows::collect_row(std::size_t first_plane, std::size_t planes, float* slice) {
  fftwf_execute(back_along_z_.get());
  for (std::size_t z = first_plane; z < first_plane + planes; ++z, slice += lines_.nx) {
    const std::size_t row = place(z, lines_.nz, padded_z_);
    for (std::size_t k = 0; k < half_x_; ++k) {
      const float share = 1 / times_counted(k, padded_x_);
      line_(k) = {share * spectrum_(k, row).re, share * spectrum_(k, row).im};
    }
    fftwf_execute(back_along_x_.get());
    unwrap_row(projected_.data(), padded_x_, slice, lines_.nx);
  }
}

void FourierRows::back_exactly(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) {
  const std::size_t rows = images.extent(2), count = images.extent(0), nu = lines_.nu;
  const std::size_t voxels = planes.extent(0) * lines_.nx;
  Array<float, 2> projected({kRowBlock, odd_lines(count * nu)}), slice({kRowBlock, odd_lines(voxels)});
  for (std::size_t y0 = 0; y0 < rows; y0 += kRowBlock) {
    for (std::size_t i = 0; i < count * nu; ++i)
      for (std::size_t j = 0; j < kRowBlock; ++j) projected(j, i) = images.data()[i * rows + y0 + j];
    for (std::size_t j = 0; j < kRowBlock; ++j) {
      std::fill(spectrum_.begin(), spectrum_.end(), Complex{});
      for (std::size_t p = 0; p < count; ++p) {
        std::fill(projected_.begin(), projected_.end(), 0.0F);
        wrap_row(&projected(j, p * nu), nu, projected_.data(), padded_x_);
        fftwf_execute(line_transform_.get());
        add_line(samples_.data() + p * half_x_);
      }
      collect_row(first_plane, planes.extent(0), &slice(j, 0));
    }
    for (std::size_t i = 0; i < voxels; ++i)
      for (std::size_t j = 0; j < kRowBlock; ++j) planes.data()[i * rows + y0 + j] = slice(j, i);
  }
}

void FourierRows::back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) {
  if (exact_adjoint_) return back_exactly(images, first_plane, planes);
  gather(lines_, Footprint::bilinear, images, first_plane, planes);
}

}  // namespace aetos::tomography
