#include "fourier_shells.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "aetos/core/fft.hpp"
#include "decomposition.hpp"

namespace aetos::reconstruction {
namespace {

using Complex = std::complex<float>;

fftwf_complex* as_fftw(Complex* data) {
  return reinterpret_cast<fftwf_complex*>(data);
}

/// (kz, half kx, row): each row of a slab (z, row, x) transformed along z and x.
Array<Complex, 3> transform_rows(View<const float, 3> volume) {
  const std::size_t nz = volume.extent(0), rows = volume.extent(1), nx = volume.extent(2);
  Array<Complex, 3> spectrum({nz, nx / 2 + 1, rows});
  if (rows == 0) return spectrum;
  const int count = static_cast<int>(rows), width = static_cast<int>(nx);
  const int sizes[] = {static_cast<int>(nz), width};
  const int in[] = {sizes[0], count * width}, out[] = {sizes[0], width / 2 + 1};
  Array<float, 3> copy(volume.shape());
  std::copy(volume.begin(), volume.end(), copy.begin());
  const fft::PlanF plan(fftwf_plan_many_dft_r2c(2, sizes, count, copy.data(), in, 1, width,
                                                as_fftw(spectrum.data()), out, count, 1, FFTW_ESTIMATE));
  fftwf_execute(plan.get());
  return spectrum;
}

struct ShellSums {
  double cross = 0, a = 0, b = 0;
  void add(std::complex<double> va, std::complex<double> vb, double share) {
    cross += share * (va * std::conj(vb)).real();
    a += share * std::norm(va);
    b += share * std::norm(vb);
  }
};

ShellCurve curve_of(const std::vector<ShellSums>& sums, std::size_t n) {
  ShellCurve curve;
  for (std::size_t s = 0; s < sums.size(); ++s) {
    const double norm = std::sqrt(sums[s].a * sums[s].b);
    curve.frequency.push_back(static_cast<double>(s) / static_cast<double>(n));
    curve.correlation.push_back(norm > 0 ? sums[s].cross / norm : std::numeric_limits<double>::quiet_NaN());
  }
  return curve;
}

/// One kz plane (half kx, y) of all rows, transformed along y.
Array<Complex, 2> whole_plane(const Communicator& comm, View<const Complex, 2> mine, std::size_t ny) {
  Array<Complex, 2> plane = gather_rows<Complex>(comm, mine, ny);
  const int n = static_cast<int>(ny), columns = static_cast<int>(plane.extent(0));
  const fft::PlanF plan(fftwf_plan_many_dft(1, &n, columns, as_fftw(plane.data()), nullptr, 1, n,
                                            as_fftw(plane.data()), nullptr, 1, n, FFTW_FORWARD,
                                            FFTW_ESTIMATE));
  fftwf_execute(plan.get());
  return plane;
}

double cycles(std::size_t bin, std::size_t n) {
  return static_cast<double>(fft::frequency(bin, n)) / static_cast<double>(n);
}

}  // namespace

ShellCurves shell_correlation(const Communicator& comm, View<const float, 3> a, View<const float, 3> b,
                              std::size_t ny) {
  const std::size_t nz = a.extent(0), nx = a.extent(2), n = std::min({nz, ny, nx}), shells = n / 2 + 1;
  const auto spectrum_a = transform_rows(a), spectrum_b = transform_rows(b);
  const double within = std::cos(kConeDegrees * std::numbers::pi / 180);
  std::vector<ShellSums> sums(shells);
  std::array<std::vector<ShellSums>, 3> along;
  along.fill(sums);
  for (std::size_t z = 0; z < nz; ++z) {
    const auto plane_a = whole_plane(comm, spectrum_a[z], ny), plane_b = whole_plane(comm, spectrum_b[z], ny);
    for (std::size_t x = 0; x < plane_a.extent(0); ++x)
      for (std::size_t y = 0; y < ny; ++y) {
        const std::array<double, 3> k{cycles(x, nx), cycles(y, ny), cycles(z, nz)};
        const double f = std::hypot(k[0], k[1], k[2]);
        const auto shell = static_cast<std::size_t>(std::round(f * static_cast<double>(n)));
        if (shell >= shells) continue;
        // The half that was not computed holds the conjugates.
        const double share = x == 0 || 2 * x == nx ? 1 : 2;
        const std::complex<double> va(plane_a(x, y)), vb(plane_b(x, y));
        sums[shell].add(va, vb, share);
        for (std::size_t axis = 0; axis < 3; ++axis)
          if (std::abs(k[axis]) >= within * f) along[axis][shell].add(va, vb, share);
      }
  }
  ShellCurves curves{curve_of(sums, n), {}};
  for (std::size_t axis = 0; axis < 3; ++axis) curves.along[axis] = curve_of(along[axis], n);
  return curves;
}

double crossing(const ShellCurve& curve, double level) {
  for (std::size_t s = 1; s < curve.frequency.size(); ++s) {
    const double before = curve.correlation[s - 1], here = curve.correlation[s];
    if (!(before >= level && here < level)) continue;
    return curve.frequency[s - 1] +
           (curve.frequency[s] - curve.frequency[s - 1]) * (before - level) / (before - here);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

namespace {

using nlohmann::json;

json number_or_null(double value) {
  return std::isfinite(value) ? json(value) : json(nullptr);
}

json correlation_and_resolution(const ShellCurve& curve, double voxel_A) {
  json correlations = json::array();
  for (double value : curve.correlation) correlations.push_back(number_or_null(value));
  return {{"correlation", correlations},
          {"resolution_A_at_0.5", number_or_null(voxel_A / crossing(curve, 0.5))},
          {"resolution_A_at_0.143", number_or_null(voxel_A / crossing(curve, 0.143))}};
}

}  // namespace

json describe(const ShellCurves& curves, double voxel_A) {
  json result = correlation_and_resolution(curves.all, voxel_A);
  json& frequencies = result["frequency_per_A"] = json::array();
  for (double frequency : curves.all.frequency) frequencies.push_back(frequency / voxel_A);
  const std::array<const char*, 3> names{"x", "y", "z"};
  for (std::size_t axis = 0; axis < 3; ++axis)
    result["directions"][names[axis]] = correlation_and_resolution(curves.along[axis], voxel_A);
  return result;
}

}  // namespace aetos::reconstruction
