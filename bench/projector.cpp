#include "aetos/tomography/projector.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/fft.hpp"
#include "benchmark.hpp"

/// Seconds of one forward and one back projection of a plain tilt series, set against what bounds them: the
/// memory's bandwidth (a triad) for the real-space projector, the transforms alone for the Fourier projector.
namespace aetos::bench {
namespace {

using nlohmann::json;
using tomography::Projector;

constexpr std::size_t kAngles = 50;
constexpr double kOversampling = 4;

template <class Work>
double best_of(int times, const Work& work) {
  double best = seconds(work);
  for (int i = 1; i < times; ++i) best = std::min(best, seconds(work));
  return best;
}

/// a = b + s c over arrays far larger than the caches, in GB/s.
double triad_GB_s() {
  constexpr std::size_t n = std::size_t{1} << 24;
  Array<float, 1> a({n}), b({n}), c({n});
  std::fill(b.begin(), b.end(), 1.0F);
  std::fill(c.begin(), c.end(), 2.0F);
  float* out = a.data();
  const float *x = b.data(), *y = c.data();
  const double time = best_of(5, [&] {
    for (std::size_t i = 0; i < n; ++i) out[i] = x[i] + 0.5F * y[i];
    asm volatile("" : : "r"(out) : "memory");
  });
  return 3.0 * n * sizeof(float) / time * 1e-9;
}

struct Times {
  double forward, back;
};

Times project(std::size_t n, Projector kind, int repeats) {
  tomography::Geometry geometry{{n, n, n}, n, n, {}};
  for (std::size_t i = 0; i < kAngles; ++i)
    geometry.angles.push_back({0, -73.5 + 3.0 * static_cast<double>(i), 0});
  const auto projector =
      tomography::make_projector(geometry, kind, {kOversampling, kOversampling, kOversampling});
  const std::size_t rows = tomography::padded_rows(n);
  Array<float, 3> volume({n, n, rows}), images({kAngles, n, rows});
  for (std::size_t i = 0; i < volume.size(); ++i) volume.data()[i] = static_cast<float>(i % 97);
  return {best_of(repeats, [&] { projector->forward(volume, 0, images); }),
          best_of(repeats, [&] { projector->back(images, 0, volume); })};
}

json real_space(std::size_t n, int repeats) {
  const Times t = project(n, Projector::real_space, repeats);
  const double updates = static_cast<double>(n * n * n) * kAngles;
  return {{"n", n},
          {"angles", kAngles},
          {"forward_s", t.forward},
          {"back_s", t.back},
          {"forward_and_back_s", t.forward + t.back},
          {"taps", 3},
          {"forward_updates_per_s", 3 * updates / t.forward},
          {"back_updates_per_s", 3 * updates / t.back}};
}

/// The transforms that a forward projection of one row needs, and nothing else.
double transforms_of_a_row(std::size_t n) {
  const std::size_t padded = tomography::padded_size(kOversampling, n), half = padded / 2 + 1;
  Array<float, 2> slice({n, padded});
  Array<float, 1> line({2 * half});
  Array<float, 3> spectrum({half, padded, 2});
  auto* grid = reinterpret_cast<fftwf_complex*>(spectrum.data());
  const int size = static_cast<int>(padded), stride = size;
  const fft::PlanF along_x(fftwf_plan_many_dft_r2c(1, &size, static_cast<int>(n), slice.data(), nullptr, 1,
                                                   size, grid, nullptr, stride, 1, FFTW_ESTIMATE));
  const fft::PlanF along_z(fftwf_plan_many_dft(1, &size, static_cast<int>(half), grid, nullptr, 1, size, grid,
                                               nullptr, 1, size, FFTW_FORWARD, FFTW_ESTIMATE));
  Array<float, 1> projected({padded});
  const fft::PlanF inverse(fftwf_plan_dft_c2r_1d(size, reinterpret_cast<fftwf_complex*>(line.data()),
                                                 projected.data(), FFTW_ESTIMATE));
  return best_of(5, [&] {
    fftwf_execute(along_x.get());
    fftwf_execute(along_z.get());
    for (std::size_t i = 0; i < kAngles; ++i) fftwf_execute(inverse.get());
  });
}

json fourier(std::size_t n, int repeats) {
  const Times t = project(n, Projector::fourier, repeats);
  const double transforms = transforms_of_a_row(n) * static_cast<double>(n);
  const double updates = static_cast<double>(n * n * n) * kAngles;
  return {{"n", n},
          {"angles", kAngles},
          {"oversampling", kOversampling},
          {"forward_s", t.forward},
          {"back_s", t.back},
          {"forward_and_back_s", t.forward + t.back},
          {"transforms_alone_s", transforms},
          {"ratio_to_transforms", (t.forward + t.back) / transforms},
          {"back_updates_per_s", 2 * updates / t.back}};
}

json run() {
  const double triad = triad_GB_s();
  json result{{"triad_GB_s", triad},
              {"real_space", {real_space(160, 3), real_space(320, 3)}},
              {"fourier", {fourier(160, 1), fourier(320, 1)}}};
  for (auto& entry : result["real_space"]) {
    const double updates = 2 * 3.0 * std::pow(entry["n"].get<double>(), 3) * kAngles;
    entry["updates_per_s"] = updates / entry["forward_and_back_s"].get<double>();
    entry["updates_per_triad_byte"] = entry["updates_per_s"].get<double>() / (triad * 1e9);
  }
  return result;
}

const Registration registration("projector", run);

}  // namespace
}  // namespace aetos::bench
