#include "aetos/imaging/spectrum.hpp"

#include <fftw3.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numeric>
#include <vector>

#include "aetos/core/fft.hpp"
#include "aetos/core/median.hpp"
#include "aetos/core/units.hpp"

namespace aetos::imaging {
namespace {

using Complex = std::complex<double>;

Array<double, 2> under_window(View<const float, 2> image) {
  const std::size_t ny = image.extent(0), nx = image.extent(1);
  const auto wy = hann_window(ny), wx = hann_window(nx);
  double sum = 0, weight = 0;
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x) {
      sum += wy(y) * wx(x) * image(y, x);
      weight += wy(y) * wx(x);
    }
  const double mean = weight > 0 ? sum / weight : 0;
  Array<double, 2> out({ny, nx});
  for (std::size_t y = 0; y < ny; ++y)
    for (std::size_t x = 0; x < nx; ++x) out(y, x) = wy(y) * wx(x) * (image(y, x) - mean);
  return out;
}

/// Of one axis: Σw, Σw², Σw²x² and Σwx² about the middle.
struct WindowSums {
  double w = 0, ww = 0, wwxx = 0, wxx = 0;
};
WindowSums sums_of(std::size_t n) {
  WindowSums s;
  const auto window = hann_window(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double w = window(i), x = static_cast<double>(i) - (static_cast<double>(n) - 1) / 2;
    s.w += w;
    s.ww += w * w;
    s.wwxx += w * w * x * x;
    s.wxx += w * x * x;
  }
  return s;
}

double unit_error(std::size_t n) {
  const auto s = sums_of(n);
  return s.w * std::sqrt(s.wwxx / s.ww / 2) / (2 * kPi * s.wxx);
}

}  // namespace

Array<double, 1> hann_window(std::size_t n) {
  Array<double, 1> w({n});
  for (std::size_t i = 0; i < n; ++i)
    w(i) = std::pow(std::sin(kPi * (static_cast<double>(i) + 0.5) / static_cast<double>(n)), 2);
  return w;
}

Array<double, 2> power_spectrum(View<const float, 2> image) {
  const std::size_t ny = image.extent(0), nx = image.extent(1), half = nx / 2 + 1;
  auto windowed = under_window(image);
  Array<Complex, 2> bins({ny, half});
  const fft::PlanD plan(fftw_plan_dft_r2c_2d(static_cast<int>(ny), static_cast<int>(nx), windowed.data(),
                                             reinterpret_cast<fftw_complex*>(bins.data()), FFTW_ESTIMATE));
  fftw_execute(plan.get());
  Array<double, 2> power({ny, nx});
  for (std::size_t j = 0; j < ny; ++j)
    for (std::size_t i = 0; i < nx; ++i) {
      // Bin (j, i) of the picture is that of frequency (v, u); those with u < 0 are the mirror images of what
      // FFTW gives.
      const std::size_t v = (j + ny - centre_index(ny)) % ny, u = (i + nx - centre_index(nx)) % nx;
      power(j, i) = u < half ? std::norm(bins(v, u)) : std::norm(bins((ny - v) % ny, nx - u));
    }
  return power;
}

Array<float, 2> log_spectrum(View<const float, 2> image) {
  const auto power = power_spectrum(image);
  std::vector<double> sorted(power.begin(), power.end());
  const double median = upper_median(sorted);
  Array<float, 2> shown(power.shape());
  std::transform(power.begin(), power.end(), shown.begin(), [median](double p) {
    return static_cast<float>(median > 0 ? std::log10(1 + p / median) : 0.0);
  });
  return shown;
}

FineSpectrum::FineSpectrum(View<const float, 2> image)
    : windowed_(under_window(image)), unit_error_(unit_error(image.extent(1)), unit_error(image.extent(0))) {}

FineSpectrum::Peak FineSpectrum::peak(const Vec2& start, double reach_bins) const {
  const std::size_t ny = windowed_.extent(0), nx = windowed_.extent(1);
  const Vec2 bin(1 / static_cast<double>(nx), 1 / static_cast<double>(ny));
  Peak peak{false, start, 0};
  std::vector<Complex> phase(nx);
  constexpr int kTurns = 12;
  for (int turn = 0; turn < kTurns; ++turn) {
    // F and its derivatives about the middle of the image, as moments: F_x = -2 pi i Σ x f e.
    for (std::size_t x = 0; x < nx; ++x)
      phase[x] = std::polar(
          1.0, -2 * kPi * peak.place.x() * (static_cast<double>(x) - (static_cast<double>(nx) - 1) / 2));
    Complex f, fx, fy, fxx, fxy, fyy;
    for (std::size_t y = 0; y < ny; ++y) {
      Complex r0, r1, r2;
      for (std::size_t x = 0; x < nx; ++x) {
        const double at = static_cast<double>(x) - (static_cast<double>(nx) - 1) / 2;
        const Complex term = windowed_(y, x) * phase[x];
        r0 += term;
        r1 += at * term;
        r2 += at * at * term;
      }
      const double at = static_cast<double>(y) - (static_cast<double>(ny) - 1) / 2;
      const Complex turn_y = std::polar(1.0, -2 * kPi * peak.place.y() * at);
      f += turn_y * r0;
      fx += turn_y * r1;
      fxx += turn_y * r2;
      fy += turn_y * at * r0;
      fxy += turn_y * at * r1;
      fyy += turn_y * at * at * r0;
    }
    const auto part = [](const Complex& a, const Complex& b) { return (std::conj(a) * b).real(); };
    const double c = 2 * kPi;
    // Of |F|² / 2.
    const double gx = c * (std::conj(f) * fx).imag(), gy = c * (std::conj(f) * fy).imag();
    const double hxx = c * c * (part(fx, fx) - part(f, fxx)), hyy = c * c * (part(fy, fy) - part(f, fyy));
    const double hxy = c * c * (part(fx, fy) - part(f, fxy));
    peak.power = std::norm(f);
    const double det = hxx * hyy - hxy * hxy;
    if (!(det > 0) || !(hxx < 0)) return peak;
    const Vec2 step(std::clamp(-(hyy * gx - hxy * gy) / det, -bin.x() / 2, bin.x() / 2),
                    std::clamp(-(hxx * gy - hxy * gx) / det, -bin.y() / 2, bin.y() / 2));
    peak.place += step;
    if ((peak.place - start).cwiseQuotient(bin).norm() > reach_bins) return peak;
    if (step.cwiseQuotient(bin).norm() < 1e-6) {
      peak.found = true;
      return peak;
    }
  }
  return peak;
}

}  // namespace aetos::imaging
