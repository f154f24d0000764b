#include "fourier_volume.hpp"

#include <algorithm>
#include <cmath>

namespace aetos::tomography {
namespace {

fftwf_complex* as_fftw(Complex* data) {
  return reinterpret_cast<fftwf_complex*>(data);
}

}  // namespace

FourierVolume::FourierVolume(const Geometry& geometry, const std::array<double, 3>& oversampling_zyx,
                             bool exact_adjoint)
    : geometry_(geometry),
      exact_adjoint_(exact_adjoint),
      grid_(geometry, oversampling_zyx),
      nz_(grid_.nz),
      nx_(grid_.nx),
      ny_(grid_.ny),
      half_y_(ny_ / 2 + 1),
      spectrum_({nx_, nz_, half_y_}),
      rows_({geometry.volume_px[2], ny_}),
      transformed_({geometry.volume_px[2], half_y_}),
      slice_({nx_, half_y_}),
      plane_({nx_, half_y_}),
      image_({nx_, ny_}) {
  for (const EulerAngles& angles : geometry.angles) rotations_.push_back(rotation_matrix(angles));
  const int nz = static_cast<int>(nz_), nx = static_cast<int>(nx_), ny = static_cast<int>(ny_);
  const int columns = static_cast<int>(half_y_), rows = static_cast<int>(geometry.volume_px[2]);
  along_y_.reset(fftwf_plan_many_dft_r2c(1, &ny, rows, rows_.data(), nullptr, 1, ny,
                                         as_fftw(transformed_.data()), nullptr, 1, columns, FFTW_ESTIMATE));
  const auto down_columns = [&](int n, Complex* plane, int sign) {
    return fftwf_plan_many_dft(1, &n, columns, as_fftw(plane), nullptr, columns, 1, as_fftw(plane), nullptr,
                               columns, 1, sign, FFTW_ESTIMATE | FFTW_UNALIGNED);
  };
  along_x_.reset(down_columns(nx, slice_.data(), FFTW_FORWARD));
  along_z_.reset(down_columns(nz, spectrum_.data(), FFTW_FORWARD));
  inverse_.reset(fftwf_plan_dft_c2r_2d(nx, ny, as_fftw(plane_.data()), image_.data(), FFTW_ESTIMATE));
  if (!exact_adjoint_) return;
  image_transform_.reset(fftwf_plan_dft_r2c_2d(nx, ny, image_.data(), as_fftw(plane_.data()), FFTW_ESTIMATE));
  back_along_y_.reset(fftwf_plan_many_dft_c2r(1, &ny, rows, as_fftw(transformed_.data()), nullptr, 1, columns,
                                              rows_.data(), nullptr, 1, ny, FFTW_ESTIMATE));
  back_along_x_.reset(down_columns(nx, slice_.data(), FFTW_BACKWARD));
  back_along_z_.reset(down_columns(nz, spectrum_.data(), FFTW_BACKWARD));
}

/// Zeros that the padding brought are never transformed: rows along y of the volume alone, then its planes
/// along x, then everything along z, each in a block that stays in cache.
void FourierVolume::transform(View<const float, 3> volume) {
  const auto [vz, vy, vx] = geometry_.volume_px;
  std::fill(spectrum_.begin(), spectrum_.end(), Complex{});
  for (std::size_t z = 0; z < vz; ++z) {
    std::fill(rows_.begin(), rows_.end(), 0.0F);
    for (std::size_t x = 0; x < vx; ++x) wrap_row(&volume(z, x, 0), vy, &rows_(x, 0), ny_);
    fftwf_execute(along_y_.get());
    std::fill(slice_.begin(), slice_.end(), Complex{});
    for (std::size_t x = 0; x < vx; ++x)
      std::copy_n(&transformed_(x, 0), half_y_, &slice_(place(x, vx, nx_), 0));
    fftwf_execute(along_x_.get());
    const std::size_t kz = place(z, vz, nz_);
    for (std::size_t kx = 0; kx < nx_; ++kx) std::copy_n(&slice_(kx, 0), half_y_, &spectrum_(kx, kz, 0));
  }
  for (std::size_t kx = 0; kx < nx_; ++kx)
    fftwf_execute_dft(along_z_.get(), as_fftw(&spectrum_(kx, 0, 0)), as_fftw(&spectrum_(kx, 0, 0)));
}

/// Calls use(where a row of the spectrum along y begins, its weight, places on the row below and above, share
/// of that above) for the four rows about a point with y >= 0.
template <class Use>
void FourierVolume::about(const Vec3& k, const Use& use) const {
  const Vec3 low = k.array().floor();
  const auto fx = static_cast<float>(k.x() - low.x()), fy = static_cast<float>(k.y() - low.y());
  const auto fz = static_cast<float>(k.z() - low.z());
  const auto ix = static_cast<std::ptrdiff_t>(low.x()), iz = static_cast<std::ptrdiff_t>(low.z());
  const auto y0 = std::min(static_cast<std::size_t>(low.y()), half_y_ - 1),
             y1 = std::min(y0 + 1, half_y_ - 1);
  for (int dz = 0; dz < 2; ++dz)
    for (int dx = 0; dx < 2; ++dx)
      use((wrapped(ix + dx, nx_) * nz_ + wrapped(iz + dz, nz_)) * half_y_,
          (dz ? fz : 1 - fz) * (dx ? fx : 1 - fx), y0, y1, fy);
}

Complex FourierVolume::read(Vec3 k) const {
  const bool conjugate = k.y() < 0;
  if (conjugate) k = -k;
  Complex sum;
  about(k, [&](std::size_t at, float w, std::size_t y0, std::size_t y1, float fy) {
    const Complex* row = spectrum_.data() + at;
    sum.re += w * ((1 - fy) * row[y0].re + fy * row[y1].re);
    sum.im += w * ((1 - fy) * row[y0].im + fy * row[y1].im);
  });
  if (conjugate) sum.im = -sum.im;
  return sum;
}

/// What read does, transposed.
void FourierVolume::add(Vec3 k, Complex value) {
  if (k.y() < 0) k = -k, value.im = -value.im;
  about(k, [&](std::size_t at, float w, std::size_t y0, std::size_t y1, float fy) {
    Complex* row = spectrum_.data() + at;
    row[y0].re += w * (1 - fy) * value.re;
    row[y0].im += w * (1 - fy) * value.im;
    row[y1].re += w * fy * value.re;
    row[y1].im += w * fy * value.im;
  });
}

void FourierVolume::read_plane(const Mat3& rotation) {
  for (std::size_t u = 0; u < nx_; ++u)
    for (std::size_t v = 0; v < half_y_; ++v) {
      const auto terms = grid_.terms(rotation, fft::frequency(u, nx_), static_cast<std::ptrdiff_t>(v));
      Complex sum;
      for (std::size_t i = 0; i < terms.count; ++i) {
        const Complex value = read(terms.at[i]);
        sum.re += value.re;
        sum.im += terms.conjugate[i] ? -value.im : value.im;
      }
      plane_(u, v) = {terms.weight * sum.re, terms.weight * sum.im};
    }
}

void FourierVolume::forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) {
  transform(volume);
  const float scale = 1.0F / static_cast<float>(nx_ * ny_);
  for (std::size_t i = 0; i < images.extent(0); ++i) {
    read_plane(rotations_[first + i]);
    fftwf_execute(inverse_.get());
    crop_image(image_, geometry_.nv, scale, images[i]);
  }
}

void FourierVolume::add_plane(const Mat3& rotation) {
  for (std::size_t u = 0; u < nx_; ++u)
    for (std::size_t v = 0; v < half_y_; ++v) {
      const auto terms = grid_.terms(rotation, fft::frequency(u, nx_), static_cast<std::ptrdiff_t>(v));
      const float weight = terms.weight * times_counted(v, ny_);
      const Complex value{weight * plane_(u, v).re, weight * plane_(u, v).im};
      for (std::size_t i = 0; i < terms.count; ++i)
        add(terms.at[i], {value.re, terms.conjugate[i] ? -value.im : value.im});
    }
}

/// Some planes of the volume whose transform's adjoint holds the spectrum.
void FourierVolume::collect(std::size_t first_plane, View<float, 3> planes) {
  const auto [vz, vy, vx] = geometry_.volume_px;
  for (std::size_t kx = 0; kx < nx_; ++kx)
    fftwf_execute_dft(back_along_z_.get(), as_fftw(&spectrum_(kx, 0, 0)), as_fftw(&spectrum_(kx, 0, 0)));
  std::fill(planes.begin(), planes.end(), 0.0F);
  for (std::size_t z = 0; z < planes.extent(0); ++z) {
    const std::size_t kz = place(first_plane + z, vz, nz_);
    for (std::size_t kx = 0; kx < nx_; ++kx) std::copy_n(&spectrum_(kx, kz, 0), half_y_, &slice_(kx, 0));
    fftwf_execute(back_along_x_.get());
    for (std::size_t x = 0; x < vx; ++x)
      for (std::size_t k = 0; k < half_y_; ++k) {
        const Complex value = slice_(place(x, vx, nx_), k);
        const float share = 1 / times_counted(k, ny_);
        transformed_(x, k) = {share * value.re, share * value.im};
      }
    fftwf_execute(back_along_y_.get());
    for (std::size_t x = 0; x < vx; ++x) unwrap_row(&rows_(x, 0), ny_, &planes(z, x, 0), vy);
  }
}

void FourierVolume::back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) {
  if (!exact_adjoint_) {
    read_images(geometry_, rotations_, images, first_plane, 0, geometry_.volume_px[1], planes);
    return;
  }
  std::fill(spectrum_.begin(), spectrum_.end(), Complex{});
  const float scale = 1.0F / static_cast<float>(nx_ * ny_);
  for (std::size_t p = 0; p < images.extent(0); ++p) {
    pad_image(images[p], geometry_.nv, scale, image_);
    fftwf_execute(image_transform_.get());
    add_plane(rotations_[p]);
  }
  collect(first_plane, planes);
}

}  // namespace aetos::tomography
