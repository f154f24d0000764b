#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/random.hpp"
#include "aetos/tomography/projector.hpp"
#include "aetos/tomography/resire.hpp"

/// Small objects and reconstructions of them, for tests.
namespace aetos::test {

using tomography::Geometry;
using tomography::padded_rows;

inline std::vector<EulerAngles> tilts(double start, double stop, double step) {
  std::vector<EulerAngles> angles;
  for (double theta = start; theta <= stop + 1e-9; theta += step) angles.push_back({0, theta, 0});
  return angles;
}

inline Geometry plain_geometry(std::size_t nz, std::size_t rows, std::size_t nx, std::size_t nu,
                               std::vector<EulerAngles> angles) {
  return {{nz, rows, nx}, rows, nu, std::move(angles)};
}

inline Array<float, 3> empty_volume(const Geometry& g) {
  return Array<float, 3>({g.volume_px[0], g.volume_px[2], padded_rows(g.volume_px[1])});
}
inline Array<float, 3> empty_images(const Geometry& g) {
  return Array<float, 3>({g.angles.size(), g.nu, padded_rows(g.nv)});
}

/// Uniform numbers in the first `rows` rows.
inline void fill_random(Array<float, 3>& array, std::size_t rows, std::uint32_t which) {
  for (std::size_t i = 0; i < array.extent(0) * array.extent(1); ++i)
    for (std::size_t y = 0; y < rows; ++y)
      array.data()[i * array.extent(2) + y] = static_cast<float>(
          random::uniform4(7, random::Domain::test, {which, static_cast<std::uint32_t>(y), i})[0]);
}

inline double dot(const Array<float, 3>& a, const Array<float, 3>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a.data()[i]) * b.data()[i];
  return sum;
}

/// <P x, y> = <x, P' y> to 1e-6 of the norms, for random volumes and images, and no row beyond the volume's.
inline void expect_adjoint(tomography::ProjectorPair& projector, const Geometry& g) {
  Array<float, 3> x = empty_volume(g), y = empty_images(g), back = empty_volume(g), forward = empty_images(g);
  fill_random(x, g.volume_px[1], 1);
  fill_random(y, g.nv, 2);
  projector.forward(x, 0, forward);
  projector.back(y, 0, back);
  EXPECT_NEAR(dot(forward, y), dot(x, back), 1e-6 * std::sqrt(dot(forward, forward) * dot(y, y)));
  for (std::size_t i = 0; i < back.extent(0) * back.extent(1); ++i)
    for (std::size_t v = g.volume_px[1]; v < back.extent(2); ++v)
      ASSERT_EQ(back.data()[i * back.extent(2) + v], 0);
}

inline double relative_difference(const Array<float, 3>& a, const Array<float, 3>& b) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(static_cast<double>(a.data()[i]) - b.data()[i], 2);
    norm += std::pow(static_cast<double>(b.data()[i]), 2);
  }
  return std::sqrt(difference / norm);
}

struct Reconstruction {
  Array<float, 3> volume;
  std::vector<double> r_history, r2_history;
  tomography::RFactors factors;  ///< of the last iterate but one
};

/// RESIRE in a few lines, without a driver.
inline Reconstruction run_resire(const Geometry& g, tomography::Projector kind, View<const float, 3> measured,
                                 int iterations, double step = 2,
                                 std::array<double, 3> oversampling = {3, 3, 3}) {
  const auto projector = tomography::make_projector(g, kind, oversampling);
  Reconstruction result{empty_volume(g), {}, {}, {}};
  Array<float, 3> residual = empty_images(g), gradient = empty_volume(g);
  Array<tomography::RowSums, 2> sums({g.angles.size(), g.nv});
  for (int i = 0; i < iterations; ++i) {
    projector->forward(result.volume, 0, residual);
    tomography::subtract_measured(residual, measured, sums);
    result.factors = tomography::r_factors(sums);
    result.r_history.push_back(result.factors.mean_r1);
    result.r2_history.push_back(result.factors.mean_r2);
    projector->back(residual, 0, gradient);
    tomography::gradient_step(result.volume, 0, gradient,
                              tomography::step_length(step, g.angles.size(), g.volume_px[0]), {});
  }
  return result;
}

}  // namespace aetos::test
