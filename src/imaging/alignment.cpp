#include "aetos/imaging/alignment.hpp"

#include <fftw3.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numeric>

#include "aetos/core/fft.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/units.hpp"
#include "aetos/imaging/background.hpp"

namespace aetos::imaging {
namespace {

constexpr int kTurns = 10;         ///< of the common line
constexpr double kSettled = 1e-4;  ///< pixels

/// Mean of the outermost pixels: what goes on beyond the border.
double border_mean(View<const float, 2> image) {
  const std::size_t ny = image.extent(0), nx = image.extent(1);
  double sum = 0, count = 0;
  for (std::size_t y = 0; y < ny; ++y) {
    const bool whole = ny > 1 && (y == 0 || y + 1 == ny);
    for (std::size_t x = 0; x < nx; x += whole || nx < 2 ? 1 : nx - 1) {
      sum += image(y, x);
      count += 1;
    }
  }
  return sum / count;
}

/// Cross-correlation of two images about their borders' level, continued by zeros, known at every place
/// between pixels.
class Correlation {
 public:
  Correlation(View<const float, 2> a, View<const float, 2> b)
      : my_(fft::fast_size(a.extent(0) > 1 ? 2 * a.extent(0) : 1, a.extent(0) > 1 ? 2 : 1)),
        mx_(fft::fast_size(2 * a.extent(1))),
        half_(mx_ / 2 + 1),
        spectrum_({my_, half_}) {
    const auto first = transform(a), second = transform(b);
    for (std::size_t i = 0; i < spectrum_.size(); ++i)
      spectrum_.data()[i] = std::conj(first.data()[i]) * second.data()[i];
  }

  Shift peak() const {
    Shift place = highest_pixel();
    // Newton's method on the trigonometric polynomial that the spectrum is; from the highest pixel it
    // converges.
    for (int i = 0; i < 20; ++i) {
      const Derivatives d = at(place);
      const double det = d.yy * d.xx - d.yx * d.yx;
      Shift step{};
      if (my_ == 1 && d.xx < 0)
        step.x = -d.x / d.xx;
      else if (my_ > 1 && det > 0 && d.xx < 0)
        step = {-(d.xx * d.y - d.yx * d.x) / det, -(d.yy * d.x - d.yx * d.y) / det};
      else
        break;
      step.y = std::clamp(step.y, -0.5, 0.5);
      step.x = std::clamp(step.x, -0.5, 0.5);
      place.y += step.y;
      place.x += step.x;
      if (std::abs(step.y) + std::abs(step.x) < 1e-7) break;
    }
    return place;
  }

 private:
  struct Derivatives {
    double y = 0, x = 0, yy = 0, yx = 0, xx = 0;
  };

  Array<std::complex<double>, 2> transform(View<const float, 2> image) const {
    Array<double, 2> padded({my_, mx_});
    Array<std::complex<double>, 2> out({my_, half_});
    const fft::PlanD plan(fftw_plan_dft_r2c_2d(static_cast<int>(my_), static_cast<int>(mx_), padded.data(),
                                               reinterpret_cast<fftw_complex*>(out.data()), FFTW_ESTIMATE));
    const double level = border_mean(image);
    for (std::size_t y = 0; y < image.extent(0); ++y)
      for (std::size_t x = 0; x < image.extent(1); ++x) padded(y, x) = image(y, x) - level;
    fftw_execute(plan.get());
    return out;
  }

  Shift highest_pixel() const {
    Array<double, 2> map({my_, mx_});
    Array<std::complex<double>, 2> bins = spectrum_.clone();
    const fft::PlanD plan(fftw_plan_dft_c2r_2d(static_cast<int>(my_), static_cast<int>(mx_),
                                               reinterpret_cast<fftw_complex*>(bins.data()), map.data(),
                                               FFTW_ESTIMATE));
    std::copy(spectrum_.begin(), spectrum_.end(), bins.begin());
    fftw_execute(plan.get());
    const auto best = static_cast<std::size_t>(std::max_element(map.begin(), map.end()) - map.begin());
    return {static_cast<double>(fft::frequency(best / mx_, my_)),
            static_cast<double>(fft::frequency(best % mx_, mx_))};
  }

  /// Derivatives of the correlation at a place; the Nyquist bins are left out.
  Derivatives at(const Shift& place) const {
    Derivatives d;
    for (std::size_t i = 0; i < my_; ++i) {
      if (my_ > 1 && 2 * i == my_) continue;
      const double ky = 2 * kPi * static_cast<double>(fft::frequency(i, my_)) / static_cast<double>(my_);
      for (std::size_t j = 0; j < half_; ++j) {
        if (2 * j == mx_) continue;
        const double kx = 2 * kPi * static_cast<double>(j) / static_cast<double>(mx_);
        const auto value = spectrum_(i, j) * std::polar(j == 0 ? 1.0 : 2.0, ky * place.y + kx * place.x);
        d.y -= ky * value.imag();
        d.x -= kx * value.imag();
        d.yy -= ky * ky * value.real();
        d.yx -= ky * kx * value.real();
        d.xx -= kx * kx * value.real();
      }
    }
    return d;
  }

  std::size_t my_, mx_, half_;
  Array<std::complex<double>, 2> spectrum_;
};

Array<float, 2> as_row(const std::vector<double>& curve) {
  Array<float, 2> row({1, curve.size()});
  std::transform(curve.begin(), curve.end(), row.begin(), [](double v) { return static_cast<float>(v); });
  return row;
}

std::vector<double> moved(const std::vector<double>& curve, double shift) {
  const auto row = shift_image(as_row(curve), {0, shift});
  return {row.begin(), row.end()};
}

/// The curve with a sum of 1; empty if it has none.
std::vector<double> of_unit_sum(std::vector<double> curve) {
  const double sum = std::accumulate(curve.begin(), curve.end(), 0.0);
  if (!(sum > 0)) return {};
  for (double& v : curve) v /= sum;
  return curve;
}

}  // namespace

ObjectPlace locate_object(View<const float, 2> image) {
  const auto object = object_mask(image);
  const double background = mean_background(image, object);
  ObjectPlace place;
  place.along_y.assign(image.extent(0), 0);
  double sum_y = 0, sum_x = 0;
  for (std::size_t y = 0; y < image.extent(0); ++y)
    for (std::size_t x = 0; x < image.extent(1); ++x) {
      if (object(y, x) == 0) continue;
      const double value = image(y, x) - background;
      place.along_y[y] += value;
      place.total += value;
      sum_y += value * (static_cast<double>(y) - static_cast<double>(centre_index(image.extent(0))));
      sum_x += value * (static_cast<double>(x) - static_cast<double>(centre_index(image.extent(1))));
    }
  if (place.total > 0) {
    place.y = sum_y / place.total;
    place.x = sum_x / place.total;
  }
  return place;
}

double displacement(const std::vector<double>& a, const std::vector<double>& b) {
  return Correlation(as_row(a), as_row(b)).peak().x;
}

Shift displacement(View<const float, 2> a, View<const float, 2> b) {
  return Correlation(a, b).peak();
}

std::vector<double> common_line_shifts(const std::vector<std::vector<double>>& curves) {
  std::vector<std::vector<double>> unit;
  for (const auto& curve : curves) unit.push_back(of_unit_sum(curve));
  std::vector<double> shifts(curves.size(), 0.0);
  for (int turn = 0; turn < kTurns; ++turn) {
    std::vector<double> mean;
    for (std::size_t i = 0; i < unit.size(); ++i) {
      if (unit[i].empty()) continue;
      const auto curve = moved(unit[i], shifts[i]);
      mean.resize(curve.size(), 0.0);
      for (std::size_t y = 0; y < curve.size(); ++y) mean[y] += curve[y];
    }
    if (mean.empty()) return shifts;
    std::vector<double> next(shifts.size(), 0.0);
    double sum = 0, count = 0, change = 0;
    for (std::size_t i = 0; i < unit.size(); ++i) {
      if (unit[i].empty()) continue;
      next[i] = -displacement(mean, unit[i]);
      sum += next[i];
      count += 1;
    }
    for (std::size_t i = 0; i < unit.size(); ++i) {
      if (!unit[i].empty()) next[i] -= sum / count;
      change = std::max(change, std::abs(next[i] - shifts[i]));
    }
    shifts = std::move(next);
    if (change < kSettled) break;
  }
  return shifts;
}

Array<float, 2> stretch_x(View<const float, 2> image, double factor) {
  Array<float, 2> out(image.shape());
  const auto nx = static_cast<std::ptrdiff_t>(image.extent(1));
  const auto centre = static_cast<double>(centre_index(image.extent(1)));
  for (std::ptrdiff_t x = 0; x < nx; ++x) {
    const double from = centre + (static_cast<double>(x) - centre) / factor;
    const double left = std::floor(from), share = from - left;
    const auto at = static_cast<std::ptrdiff_t>(left);
    if (at < 0 || at >= nx || (share > 0 && at + 1 >= nx)) continue;
    for (std::size_t y = 0; y < image.extent(0); ++y)
      out(y, x) = static_cast<float>((1 - share) * image(y, at) + (share > 0 ? share * image(y, at + 1) : 0));
  }
  return out;
}

}  // namespace aetos::imaging
