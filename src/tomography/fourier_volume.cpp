#include "fourier_volume.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace aetos::tomography {
namespace {

fftwf_complex* as_fftw(Complex* data) {
  return reinterpret_cast<fftwf_complex*>(data);
}

double centre(std::size_t n) {
  return static_cast<double>(centre_index(n));
}

struct Span {
  std::size_t begin, end;
};

/// The part of a span of y where start + y slope lies in [0, last].
Span inside_of(double start, double slope, double last, Span range) {
  const auto inside = [&](std::size_t y) {
    const double at = start + static_cast<double>(y) * slope;
    return at >= -kEdge && at <= last + kEdge;
  };
  if (std::abs(slope) > 1e-12) {
    const double a = -start / slope, b = (last - start) / slope, end = static_cast<double>(range.end);
    const double low = std::clamp(std::floor(std::min(a, b)) - 1, 0.0, end);
    const double high = std::clamp(std::ceil(std::max(a, b)) + 2, 0.0, end);
    range = {std::max(range.begin, static_cast<std::size_t>(low)),
             std::min(range.end, static_cast<std::size_t>(high))};
  }
  while (range.begin < range.end && !inside(range.begin)) ++range.begin;
  while (range.end > range.begin && !inside(range.end - 1)) --range.end;
  return range;
}

/// Adds to a row of voxels along y what one image gives to it: bilinear at u0 + y du, v0 + y dv, nothing
/// outside.
void interpolate_row(View<const float, 2> image, std::size_t nv, double u0, double du, double v0, double dv,
                     std::size_t ny, float* row) {
  const auto stride = static_cast<std::int32_t>(image.extent(1));
  const double last_u = static_cast<double>(image.extent(0) - 1), last_v = static_cast<double>(nv - 1);
  const double top_u = last_u - 1, top_v = std::max(0.0, last_v - 1);
  const Span range = inside_of(v0, dv, last_v, inside_of(u0, du, last_u, {0, ny}));
  const float* pixels = image.data();
  const auto begin = static_cast<std::int32_t>(range.begin), end = static_cast<std::int32_t>(range.end);
  for (std::int32_t y = begin; y < end; ++y) {
    const double u = u0 + y * du, v = v0 + y * dv;
    // Truncation is floor here: what lies below zero does so by rounding alone.
    const auto iu = static_cast<std::int32_t>(std::min(std::max(u, 0.0), top_u));
    const auto iv = static_cast<std::int32_t>(std::min(std::max(v, 0.0), top_v));
    const auto fu = static_cast<float>(u - iu), fv = static_cast<float>(v - iv);
    const std::int32_t at = iu * stride + iv;
    row[y] += (1 - fu) * ((1 - fv) * pixels[at] + fv * pixels[at + 1]) +
              fu * ((1 - fv) * pixels[at + stride] + fv * pixels[at + stride + 1]);
  }
}

}  // namespace

FourierVolume::FourierVolume(const Geometry& geometry, const std::array<double, 3>& oversampling_zyx)
    : geometry_(geometry),
      nz_(padded_size(oversampling_zyx[0], geometry.volume_px[0])),
      nx_(padded_size(oversampling_zyx[2], std::max(geometry.volume_px[2], geometry.nu))),
      ny_(padded_size(oversampling_zyx[1], std::max(geometry.volume_px[1], geometry.nv))),
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
  const auto down_columns = [&](int n, Complex* plane) {
    return fftwf_plan_many_dft(1, &n, columns, as_fftw(plane), nullptr, columns, 1, as_fftw(plane), nullptr,
                               columns, 1, FFTW_FORWARD, FFTW_ESTIMATE | FFTW_UNALIGNED);
  };
  along_x_.reset(down_columns(nx, slice_.data()));
  along_z_.reset(down_columns(nz, spectrum_.data()));
  inverse_.reset(fftwf_plan_dft_c2r_2d(nx, ny, as_fftw(plane_.data()), image_.data(), FFTW_ESTIMATE));
}

/// Zeros that the padding brought are never transformed: rows along y of the volume alone, then its planes
/// along x, then everything along z, each in a block that stays in cache.
void FourierVolume::transform(View<const float, 3> volume) {
  const auto [vz, vy, vx] = geometry_.volume_px;
  const auto place = [](std::size_t i, std::size_t n, std::size_t padded) {
    return wrapped(static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(centre_index(n)), padded);
  };
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

Vec3 FourierVolume::bin(const Mat3& rotation, std::ptrdiff_t ku, std::ptrdiff_t kv) const {
  const double fu = static_cast<double>(ku) / static_cast<double>(nx_);
  const double fv = static_cast<double>(kv) / static_cast<double>(ny_);
  const Vec3 f = fu * rotation.col(0) + fv * rotation.col(1);
  return {f.x() * static_cast<double>(nx_), f.y() * static_cast<double>(ny_),
          f.z() * static_cast<double>(nz_)};
}

bool FourierVolume::on_grids(const Vec3& k) const {
  return on_grid(k.x(), nx_) && on_grid(k.y(), ny_) && on_grid(k.z(), nz_);
}

Complex FourierVolume::read(Vec3 k) const {
  const bool conjugate = k.y() < 0;
  if (conjugate) k = -k;
  const Vec3 low = k.array().floor();
  const auto fx = static_cast<float>(k.x() - low.x()), fy = static_cast<float>(k.y() - low.y());
  const auto fz = static_cast<float>(k.z() - low.z());
  const auto ix = static_cast<std::ptrdiff_t>(low.x()), iz = static_cast<std::ptrdiff_t>(low.z());
  const auto y0 = std::min(static_cast<std::size_t>(low.y()), half_y_ - 1),
             y1 = std::min(y0 + 1, half_y_ - 1);
  Complex sum;
  for (int dz = 0; dz < 2; ++dz)
    for (int dx = 0; dx < 2; ++dx) {
      const Complex* row = spectrum_.data() + (wrapped(ix + dx, nx_) * nz_ + wrapped(iz + dz, nz_)) * half_y_;
      const float w = (dz ? fz : 1 - fz) * (dx ? fx : 1 - fx);
      sum.re += w * ((1 - fy) * row[y0].re + fy * row[y1].re);
      sum.im += w * ((1 - fy) * row[y0].im + fy * row[y1].im);
    }
  if (conjugate) sum.im = -sum.im;
  return sum;
}

Complex FourierVolume::symmetrised(const Mat3& rotation, std::ptrdiff_t ku, std::ptrdiff_t kv) const {
  // The real part of the inverse transform belongs to (L(k) + conj L(-k)) / 2, with -k on the grid (an even
  // size's last bin is its own partner). Inside the grid both are equal, so one is read.
  const auto signed_bin = [](std::ptrdiff_t k, std::size_t n) {
    return 2 * k == static_cast<std::ptrdiff_t>(n) ? -k : k;
  };
  const auto partner = [](std::ptrdiff_t k, std::size_t n) {
    return 2 * k == -static_cast<std::ptrdiff_t>(n) ? k : -k;
  };
  ku = signed_bin(ku, nx_);
  kv = signed_bin(kv, ny_);
  const std::ptrdiff_t pu = partner(ku, nx_), pv = partner(kv, ny_);
  const Vec3 k = bin(rotation, ku, kv), p = bin(rotation, pu, pv);
  const bool inside = on_grids(k), partner_inside = on_grids(p);
  if (inside && partner_inside && pu == -ku && pv == -kv) return read(k);
  Complex sum;
  if (inside) sum = read(k);
  if (partner_inside) {
    const Complex other = read(p);
    sum.re += other.re;
    sum.im -= other.im;
  }
  return {sum.re / 2, sum.im / 2};
}

void FourierVolume::read_plane(const Mat3& rotation) {
  for (std::size_t u = 0; u < nx_; ++u)
    for (std::size_t v = 0; v < half_y_; ++v)
      plane_(u, v) = symmetrised(rotation, fft::frequency(u, nx_), static_cast<std::ptrdiff_t>(v));
}

void FourierVolume::forward(View<const float, 3> volume, std::size_t first, View<float, 3> images) {
  transform(volume);
  const std::size_t nu = geometry_.nu, nv = geometry_.nv;
  const float scale = 1.0F / static_cast<float>(nx_ * ny_);
  for (std::size_t i = 0; i < images.extent(0); ++i) {
    read_plane(rotations_[first + i]);
    fftwf_execute(inverse_.get());
    for (std::size_t u = 0; u < nu; ++u) {
      const auto pu =
          wrapped(static_cast<std::ptrdiff_t>(u) - static_cast<std::ptrdiff_t>(centre_index(nu)), nx_);
      float* row = &images(i, u, 0);
      unwrap_row(&image_(pu, 0), ny_, row, nv);
      for (std::size_t v = 0; v < nv; ++v) row[v] *= scale;
      std::fill(row + nv, row + images.extent(2), 0.0F);
    }
  }
}

void FourierVolume::back(View<const float, 3> images, std::size_t first_plane, View<float, 3> planes) {
  const auto [vz, vy, vx] = geometry_.volume_px;
  std::fill(planes.begin(), planes.end(), 0.0F);
  for (std::size_t plane = 0; plane < planes.extent(0); ++plane)
    for (std::size_t p = 0; p < rotations_.size(); ++p)
      for (std::size_t x = 0; x < vx; ++x) {
        const Mat3& rotation = rotations_[p];
        const double z = static_cast<double>(first_plane + plane) - centre(vz);
        const Vec3 start = to_beam_frame(rotation, {static_cast<double>(x) - centre(vx), -centre(vy), z});
        interpolate_row(images[p], geometry_.nv, start.x() + centre(geometry_.nu), rotation(1, 0),
                        start.y() + centre(geometry_.nv), rotation(1, 1), vy, &planes(plane, x, 0));
      }
}

}  // namespace aetos::tomography
