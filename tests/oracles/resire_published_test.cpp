#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "aetos/io/mat_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/tomography/projector.hpp"
#include "aetos/tomography/resire.hpp"
#include "support/shared_data.hpp"

/// RESIRE against the volume and the R-factors that its public code made from its own sample.
namespace aetos {
namespace {

using tomography::padded_rows;

constexpr int kIterations = 100, kReported = 10;

/// (tilt, y, x) to (tilt, u, padded v).
Array<float, 3> to_columns(const Array<float, 3>& images) {
  const auto [tilts, ny, nx] = images.shape();
  Array<float, 3> columns({tilts, nx, padded_rows(ny)});
  for (std::size_t t = 0; t < tilts; ++t)
    for (std::size_t y = 0; y < ny; ++y)
      for (std::size_t x = 0; x < nx; ++x) columns(t, x, y) = images(t, y, x);
  return columns;
}

std::vector<double> read_matrix(const std::string& file, const std::string& name) {
  const auto mat = io::mat::open(file);
  for (const auto& variable : mat.variables)
    if (name == variable.name) return io::mat::read_all(mat, variable);
  return {};
}

struct Sample {
  tomography::Geometry geometry;
  Array<float, 3> measured, volume;
  std::vector<double> r1;  ///< (report, projection): MATLAB's (projection, report), first index fastest
};

Sample read_sample() {
  const auto folder = test::shared_data("tomography/resire-sample");
  const auto file = [&](const char* name) { return (folder / name).string(); };
  const auto info = io::read_tilt_series_info(file("projections.mat"));
  Sample sample;
  sample.geometry = {{info.nx, info.ny, info.nx}, info.ny, info.nx, io::read_angles(file("angles.mat"))};
  sample.measured = to_columns(io::read_tilt_series_rows(file("projections.mat"), "", {0, info.ny}));
  sample.volume = io::read_volume_planes(file("published.mat:reconstruction"), {0, info.nx});
  sample.r1 = read_matrix(file("published.mat"), "R1_every_10");
  return sample;
}

double relative_difference(const Array<float, 3>& u, const Array<float, 3>& published) {
  double difference = 0, norm = 0;
  const auto [nz, ny, nx] = published.shape();
  for (std::size_t z = 0; z < nz; ++z)
    for (std::size_t y = 0; y < ny; ++y)
      for (std::size_t x = 0; x < nx; ++x) {
        difference += std::pow(static_cast<double>(u(z, x, y)) - published(z, y, x), 2);
        norm += std::pow(static_cast<double>(published(z, y, x)), 2);
      }
  return std::sqrt(difference / norm);
}

TEST(ResirePublishedTest, SampleAfterHundredIterations) {
  AETOS_NEEDS_SHARED("tomography/resire-sample");
  const Sample sample = read_sample();
  const auto& g = sample.geometry;
  ASSERT_EQ(g.angles.size(), 41u);
  const auto projector = tomography::make_projector(g, tomography::Projector::fourier, {3, 3, 3});
  Array<float, 3> u({g.volume_px[0], g.volume_px[2], padded_rows(g.nv)}), gradient(u.shape());
  Array<float, 3> residual(sample.measured.shape());
  Array<tomography::RowSums, 2> sums({g.angles.size(), g.nv});
  const double dt = tomography::step_length(2, g.angles.size(), g.volume_px[0]);
  std::vector<std::vector<double>> reported;
  for (int i = 1; i <= kIterations; ++i) {
    projector->forward(u, 0, residual);
    tomography::subtract_measured(residual, sample.measured, sums);
    if (i % kReported == 0) reported.push_back(tomography::r_factors(sums).r1);
    projector->back(residual, 0, gradient);
    tomography::gradient_step(u, 0, gradient, dt, {});
  }
  const double difference = relative_difference(u, sample.volume);
  EXPECT_LT(difference, 1e-5);
  double worst = 0;
  ASSERT_EQ(sample.r1.size(), reported.size() * g.angles.size());
  for (std::size_t n = 0; n < reported.size(); ++n)
    for (std::size_t p = 0; p < g.angles.size(); ++p)
      worst = std::max(worst, std::abs(reported[n][p] - sample.r1[n * g.angles.size() + p]));
  EXPECT_LT(worst, 1e-6);
  std::printf("resire-sample: volume %.2e relative, R1 of every projection %.2e\n", difference, worst);
}

}  // namespace
}  // namespace aetos
