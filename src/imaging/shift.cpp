#include "aetos/imaging/shift.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "aetos/core/fft.hpp"
#include "aetos/core/units.hpp"
#include "separable_filter.hpp"

namespace aetos::imaging {
namespace {

/// Half the gap between an image's end and its beginning.
constexpr std::size_t kPad = 16;

/// exp(-2 pi i k s) along one axis of n points; the Nyquist bin keeps its real part, so that images stay
/// real.
Array<std::complex<double>, 1> phases(std::size_t n, std::size_t bins, double shift) {
  Array<std::complex<double>, 1> factor({bins});
  for (std::size_t i = 0; i < bins; ++i) {
    const double angle =
        -2 * kPi * static_cast<double>(fft::frequency(i, n)) / static_cast<double>(n) * shift;
    factor(i) = 2 * i == n ? std::complex<double>(std::cos(angle), 0) : std::polar(1.0, angle);
  }
  return factor;
}

/// Where a point of the padded axis takes its value from: in the gap the last value fades into the first, so
/// that there is no jump to ring.
struct Source {
  std::size_t a, b;
  double share_of_b;
};
Source source_of(std::size_t i, std::size_t n, std::size_t padded) {
  if (i >= kPad && i < kPad + n) return {i - kPad, i - kPad, 0};
  const double place = static_cast<double>(i < kPad ? i + padded - n - kPad : i - n - kPad) + 0.5;
  return {n - 1, 0, 0.5 - 0.5 * std::cos(kPi * place / static_cast<double>(padded - n))};
}

std::vector<Source> sources(std::size_t n, std::size_t padded) {
  std::vector<Source> all;
  for (std::size_t i = 0; i < padded; ++i) all.push_back(source_of(i, n, padded));
  return all;
}

Array<double, 2> fourier_shift(View<const float, 2> image, double dy, double dx) {
  const std::size_t ny = image.extent(0), nx = image.extent(1);
  const std::size_t my = fft::fast_size(ny + 2 * kPad), mx = fft::fast_size(nx + 2 * kPad);
  const auto from_y = sources(ny, my), from_x = sources(nx, mx);
  Array<double, 2> padded({my, mx});
  for (std::size_t y = 0; y < my; ++y)
    for (std::size_t x = 0; x < mx; ++x) {
      const Source &v = from_y[y], &u = from_x[x];
      const auto along_x = [&](std::size_t row) {
        return (1 - u.share_of_b) * image(row, u.a) + u.share_of_b * image(row, u.b);
      };
      padded(y, x) = (1 - v.share_of_b) * along_x(v.a) + v.share_of_b * along_x(v.b);
    }
  filter_separably(padded, phases(my, my, dy), phases(mx, mx / 2 + 1, dx));
  Array<double, 2> moved({ny, nx});
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x) moved(y, x) = padded(y + kPad, x + kPad);
  return moved;
}

}  // namespace

Array<float, 2> shift_image(View<const float, 2> image, const Shift& shift) {
  const auto ny = static_cast<std::ptrdiff_t>(image.extent(0)),
             nx = static_cast<std::ptrdiff_t>(image.extent(1));
  Array<float, 2> moved(image.shape());
  const double whole_y = std::round(shift.y), whole_x = std::round(shift.x);
  if (image.empty() || !(std::abs(shift.y) < static_cast<double>(ny)) ||
      !(std::abs(shift.x) < static_cast<double>(nx)))
    return moved;
  const double part_y = shift.y - whole_y, part_x = shift.x - whole_x;
  Array<double, 2> fine;
  if (part_y != 0 || part_x != 0) fine = fourier_shift(image, part_y, part_x);
  // Where the point that a pixel shows lies beyond the image, it shows nothing.
  const auto inside = [](double place, std::ptrdiff_t n) {
    return place > -1e-9 && place < static_cast<double>(n - 1) + 1e-9;
  };
  for (std::ptrdiff_t y = 0; y < ny; ++y)
    for (std::ptrdiff_t x = 0; x < nx; ++x) {
      if (!inside(static_cast<double>(y) - shift.y, ny) || !inside(static_cast<double>(x) - shift.x, nx))
        continue;
      const std::ptrdiff_t from_y = y - static_cast<std::ptrdiff_t>(whole_y),
                           from_x = x - static_cast<std::ptrdiff_t>(whole_x);
      moved(y, x) = fine.empty() ? image(from_y, from_x) : static_cast<float>(fine(from_y, from_x));
    }
  return moved;
}

}  // namespace aetos::imaging
