#include "aetos/tomography/fourier_slice.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "aetos/tomography/spectral_grid.hpp"

namespace aetos::tomography {
namespace {

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

SliceGrid::SliceGrid(const Geometry& geometry, const std::array<double, 3>& oversampling_zyx)
    : nz(padded_size(oversampling_zyx[0], geometry.volume_px[0])),
      nx(padded_size(oversampling_zyx[2], std::max(geometry.volume_px[2], geometry.nu))),
      ny(padded_size(oversampling_zyx[1], std::max(geometry.volume_px[1], geometry.nv))) {}

Vec3 SliceGrid::bin(const Mat3& rotation, std::ptrdiff_t ku, std::ptrdiff_t kv) const {
  const double fu = static_cast<double>(ku) / static_cast<double>(nx);
  const double fv = static_cast<double>(kv) / static_cast<double>(ny);
  const Vec3 f = fu * rotation.col(0) + fv * rotation.col(1);
  return {f.x() * static_cast<double>(nx), f.y() * static_cast<double>(ny), f.z() * static_cast<double>(nz)};
}

bool SliceGrid::holds(const Vec3& k) const {
  return on_grid(k.x(), nx) && on_grid(k.y(), ny) && on_grid(k.z(), nz);
}

/// Neither k nor -k is near the grid's border.
bool SliceGrid::well_inside(const Vec3& k) const {
  const auto reach = [](std::size_t n) { return static_cast<double>((n - 1) / 2) - 1; };
  return std::abs(k.x()) < reach(nx) && std::abs(k.y()) < reach(ny) && std::abs(k.z()) < reach(nz);
}

SliceGrid::Terms SliceGrid::terms(const Mat3& rotation, std::ptrdiff_t ku, std::ptrdiff_t kv) const {
  // The real part of the inverse transform belongs to (L(k) + conj L(-k)) / 2, with -k on the grid (an even
  // size's last bin is its own partner). Inside the grid both are equal, so one is read.
  const auto signed_bin = [](std::ptrdiff_t k, std::size_t n) {
    return 2 * k == static_cast<std::ptrdiff_t>(n) ? -k : k;
  };
  const auto partner = [](std::ptrdiff_t k, std::size_t n) {
    return 2 * k == -static_cast<std::ptrdiff_t>(n) ? k : -k;
  };
  ku = signed_bin(ku, nx);
  kv = signed_bin(kv, ny);
  const std::ptrdiff_t pu = partner(ku, nx), pv = partner(kv, ny);
  const Vec3 k = bin(rotation, ku, kv);
  if (pu == -ku && pv == -kv && well_inside(k)) return {1, {k, {}}, {false, false}, 1};
  const Vec3 p = bin(rotation, pu, pv);
  const bool inside = holds(k), partner_inside = holds(p);
  if (inside && partner_inside && pu == -ku && pv == -kv) return {1, {k, {}}, {false, false}, 1};
  Terms terms;
  terms.weight = 0.5F;
  if (inside) terms.at[terms.count++] = k;
  if (partner_inside) {
    terms.conjugate[terms.count] = true;
    terms.at[terms.count++] = p;
  }
  return terms;
}

void read_images(const Geometry& geometry, std::span<const Mat3> rotations, View<const float, 3> images,
                 std::size_t first_plane, std::size_t first_row, std::size_t rows, View<float, 3> planes) {
  const auto [vz, vy, vx] = geometry.volume_px;
  if (rows == 0) return;  // of a rank that stays idle
  std::fill(planes.begin(), planes.end(), 0.0F);
  for (std::size_t plane = 0; plane < planes.extent(0); ++plane)
    for (std::size_t p = 0; p < rotations.size(); ++p)
      for (std::size_t x = 0; x < vx; ++x) {
        const Mat3& rotation = rotations[p];
        const double z = static_cast<double>(first_plane + plane) - centre(vz);
        const double y = static_cast<double>(first_row) - centre(vy);
        const Vec3 start = to_beam_frame(rotation, {static_cast<double>(x) - centre(vx), y, z});
        interpolate_row(images[p], geometry.nv, start.x() + centre(geometry.nu), rotation(1, 0),
                        start.y() + centre(geometry.nv), rotation(1, 1), rows, &planes(plane, x, 0));
      }
}

void pad_image(View<const float, 2> image, std::size_t nv, float scale, View<float, 2> padded) {
  const std::size_t nx = padded.extent(0), nu = image.extent(0);
  std::fill(padded.begin(), padded.end(), 0.0F);
  for (std::size_t u = 0; u < nu; ++u) {
    float* row = &padded(place(u, nu, nx), 0);
    wrap_row(&image(u, 0), nv, row, padded.extent(1));
    for (std::size_t v = 0; v < padded.extent(1); ++v) row[v] *= scale;
  }
}

void crop_image(View<const float, 2> padded, std::size_t nv, float scale, View<float, 2> image) {
  const std::size_t nx = padded.extent(0), nu = image.extent(0);
  for (std::size_t u = 0; u < nu; ++u) {
    const auto pu = place(u, nu, nx);
    float* row = &image(u, 0);
    unwrap_row(&padded(pu, 0), padded.extent(1), row, nv);
    for (std::size_t v = 0; v < nv; ++v) row[v] *= scale;
    std::fill(row + nv, row + image.extent(1), 0.0F);
  }
}

}  // namespace aetos::tomography
