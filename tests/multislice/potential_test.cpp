#include "aetos/multislice/potential.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "aetos/core/units.hpp"
#include "aetos/multislice/scattering.hpp"
#include "aetos/multislice/tile_engine.hpp"

namespace aetos::multislice {
namespace {

SliceAtoms some_atoms(const FftGrid& grid) {
  const double width = static_cast<double>(grid.nx) * grid.dx_A,
               height = static_cast<double>(grid.ny) * grid.dy_A;
  SliceAtoms atoms;
  for (int i = 0; i < 12; ++i) {
    const double u = std::fmod(0.618034 * i + 0.01, 1.0), v = std::fmod(0.414214 * i * i + 0.13, 1.0);
    atoms[i % 3 == 0 ? 8 : 40].push_back({u * width, v * height, i == 5 ? 0.5f : 1.0f});
  }
  atoms[40].push_back({0, 0, 1});
  atoms[8].push_back({width - 1e-9, 0.5 * height, 1});
  return atoms;
}

/// exp(-2 pi i k x) at FFT index i; a Nyquist frequency stands for both signs.
std::complex<double> wave_at(double k, double x, std::size_t i, std::size_t n) {
  const auto wave = std::polar(1.0, -2 * kPi * k * x);
  return 2 * i == n ? wave.real() : wave;
}

/// The Fourier series with a direct sum over the atoms for each coefficient.
Array<double, 2> direct_potential(const SliceAtoms& atoms, const FftGrid& grid,
                                  Parametrization parametrization) {
  using Complex = std::complex<double>;
  Array<Complex, 2> v({grid.ny, grid.nx});
  const double area = static_cast<double>(grid.size()) * grid.dx_A * grid.dy_A;
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i) {
      const double kx = grid.kx(i), ky = grid.ky(j);
      for (const auto& [z, placed] : atoms) {
        Complex s{};
        for (const auto& a : placed)
          s +=
              static_cast<double>(a.weight) * wave_at(kx, a.x_A, i, grid.nx) * wave_at(ky, a.y_A, j, grid.ny);
        v(j, i) +=
            kPotentialConstant_VA2 / area * scattering_factor_A(parametrization, z, kx * kx + ky * ky) * s;
      }
    }
  auto* p = reinterpret_cast<fftw_complex*>(v.data());
  const fft::PlanD plan(fftw_plan_dft_2d(static_cast<int>(grid.ny), static_cast<int>(grid.nx), p, p,
                                         FFTW_BACKWARD, FFTW_ESTIMATE));
  fftw_execute(plan.get());
  Array<double, 2> real(v.shape());
  for (std::size_t i = 0; i < v.size(); ++i) real.data()[i] = v.data()[i].real();
  return real;
}

TEST(Potential, AgreesWithTheDirectStructureFactorSum) {
  for (const FftGrid grid :
       {FftGrid{60, 48, 0.1, 0.1}, FftGrid{45, 50, 0.1, 0.08}, FftGrid{64, 64, 0.05, 0.05}})
    for (const auto parametrization : {Parametrization::kirkland, Parametrization::lobato}) {
      const auto atoms = some_atoms(grid);
      PotentialBuilder builder(grid, 300, parametrization);
      Array<float, 2> ours({grid.ny, grid.nx});
      builder.projected_potentials({&atoms, nullptr}, {ours, {}});
      const auto direct = direct_potential(atoms, grid, parametrization);
      double worst = 0, highest = 0;
      for (std::size_t i = 0; i < direct.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(ours.data()[i]) - direct.data()[i]));
        highest = std::max(highest, direct.data()[i]);
      }
      EXPECT_LT(worst / highest, 1e-5) << grid.nx << " x " << grid.ny;
    }
}

TEST(Potential, TransmissionIsTheBandLimitedPhasor) {
  const FftGrid grid{60, 48, 0.1, 0.1};
  const auto atoms = some_atoms(grid);
  SliceAtoms other;
  other[79].push_back({1.1, 3.3, 1});
  PotentialBuilder builder(grid, 300, Parametrization::kirkland);
  Array<float, 3> alone({2, grid.nx, builder.column_room()}), first(alone.shape()), second(alone.shape());
  builder.transmissions({&atoms, nullptr}, {alone, {}});
  builder.transmissions({&atoms, &other}, {first, second});
  const auto v = direct_potential(atoms, grid, Parametrization::kirkland);
  Array<std::complex<double>, 2> expected(v.shape());
  const double sigma = interaction_constant_rad_VA(300);
  for (std::size_t i = 0; i < v.size(); ++i) expected.data()[i] = std::polar(1.0, sigma * v.data()[i]);
  auto* p = reinterpret_cast<fftw_complex*>(expected.data());
  const fft::PlanD forward(fftw_plan_dft_2d(48, 60, p, p, FFTW_FORWARD, FFTW_ESTIMATE));
  const fft::PlanD back(fftw_plan_dft_2d(48, 60, p, p, FFTW_BACKWARD, FFTW_ESTIMATE));
  fftw_execute(forward.get());
  const BandLimit limit = BandLimit::of(0.1, 0.1);
  for (std::size_t j = 0; j < grid.ny; ++j)
    for (std::size_t i = 0; i < grid.nx; ++i)
      expected(j, i) *= limit(std::hypot(grid.kx(i), grid.ky(j))) / static_cast<double>(grid.size());
  fftw_execute(back.get());
  for (const Array<float, 3>* ours : {&alone, &first})
    for (std::size_t j = 0; j < grid.ny; ++j)
      for (std::size_t i = 0; i < grid.nx; ++i) {
        const std::complex<double> t((*ours)(0, i, j), (*ours)(1, i, j));
        EXPECT_LT(std::abs(t - expected(j, i)), 2e-5);
      }
}

TEST(Slices, EachAtomCountsOnceWhereverItsHeight) {
  const double thickness = 2;
  const std::vector<double> heights{-4, -2.0000001, -2, -1.9999999, 0, 2, 3.7, 4};
  const auto grid = SliceGrid::covering(-4, 4, thickness);
  EXPECT_EQ(grid.first, -2);
  EXPECT_EQ(grid.count, 5u);
  const std::vector<std::size_t> expected{0, 0, 1, 1, 2, 3, 3, 4};
  for (std::size_t i = 0; i < heights.size(); ++i)
    EXPECT_EQ(grid.slice_of(heights[i]), expected[i]) << heights[i];
  EXPECT_EQ(grid.slice_of(-100), 0u);
  EXPECT_EQ(grid.slice_of(100), 4u);
  // A model moved by one whole slice has the same slices, one further on.
  const auto moved = SliceGrid::covering(-4 + thickness, 4 + thickness, thickness);
  EXPECT_EQ(moved.first, grid.first + 1);
  EXPECT_EQ(moved.count, grid.count);
}

/// The sum over slices of the projected potential does not depend on how atoms fall into slices.
TEST(Slices, TotalProjectedPotentialIsConserved) {
  const FftGrid grid{60, 48, 0.1, 0.1};
  PotentialBuilder builder(grid, 300, Parametrization::kirkland);
  const SliceAtoms all = some_atoms(grid);
  Array<float, 2> whole({grid.ny, grid.nx}), part({grid.ny, grid.nx});
  builder.projected_potentials({&all, nullptr}, {whole, {}});
  double total = 0, in_parts = 0;
  for (const float v : whole) total += static_cast<double>(v);
  const auto slices = SliceGrid::covering(0, 12, 2);
  for (std::size_t s = 0; s < slices.count; ++s) {
    SliceAtoms slice;
    for (const auto& [z, placed] : all)
      for (std::size_t i = 0; i < placed.size(); ++i)
        if (slices.slice_of(static_cast<double>(i)) == s) slice[z].push_back(placed[i]);
    builder.projected_potentials({&slice, nullptr}, {part, {}});
    for (const float v : part) in_parts += static_cast<double>(v);
  }
  EXPECT_NEAR(in_parts / total, 1, 1e-6);
}

}  // namespace
}  // namespace aetos::multislice
