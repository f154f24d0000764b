#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "aetos/core/units.hpp"
#include "aetos/multislice/potential.hpp"
#include "aetos/multislice/scattering.hpp"
#include "aetos/multislice/tile_engine.hpp"

namespace aetos::multislice {
namespace {

/// From the transform of f along kz: f / 2 less the integral of f(k, kz) sin(2 pi kz z) / (2 pi kz).
TEST(FiniteSlicing, PartBeyondADepthIsTheIntegralOfTheScatteringFactor) {
  for (const auto parametrization : {Parametrization::kirkland, Parametrization::lobato})
    for (const std::uint8_t z : std::initializer_list<std::uint8_t>{8, 40, 79})
      for (const double k : {0.0, 0.7, 3.0})
        for (const double depth : {0.0, 0.13, 0.8, 2.5}) {
          double sum = 0;
          const double step = 0.01;
          for (double kz = step / 2; kz < 300; kz += step)
            sum += scattering_factor_A(parametrization, z, k * k + kz * kz) * std::sin(2 * kPi * kz * depth) /
                   (2 * kPi * kz) * 2 * step;
          const double f = scattering_factor_A(parametrization, z, k * k);
          EXPECT_NEAR(scattering_factor_beyond_A(parametrization, z, k * k, depth) / f, 0.5 - sum / f, 3e-5)
              << int{z} << " at " << k << ", " << depth;
        }
}

struct Stack {
  FftGrid grid{60, 48, 0.1, 0.1};
  double thickness_A;
  AtomPlanes planes;
  std::vector<Array<float, 2>> slices;

  Stack(double thickness, std::size_t count) : thickness_A(thickness), planes(thickness, count) {}
  void build(Parametrization parametrization) {
    std::vector<View<float, 2>> views;
    for (std::size_t s = 0; s < planes.slices(); ++s) slices.emplace_back(Shape<2>{grid.ny, grid.nx});
    for (auto& s : slices) views.push_back(s);
    PotentialBuilder(grid, 300, parametrization).finite_potentials(planes, views);
  }
};

double highest(const Array<float, 2>& v) {
  double value = 0;
  for (const float f : v) value = std::max(value, static_cast<double>(std::abs(f)));
  return value;
}

TEST(FiniteSlicing, SlicesAddUpToTheProjectedPotential) {
  for (const auto& [thickness, count] :
       {std::pair<double, std::size_t>{2, 5}, {0.4, 21}, {1.1, 8}, {7, 1}, {0.25, 2}})
    for (const auto parametrization : {Parametrization::kirkland, Parametrization::lobato}) {
      Stack stack(thickness, count);
      SliceAtoms all;
      const double depth = thickness * static_cast<double>(count);
      for (int i = 0; i < 14; ++i) {
        const PlacedAtom atom{std::fmod(3.7 * i + 0.1, 6), std::fmod(2.3 * i + 0.7, 4.8), i == 3 ? 0.5f : 1};
        const std::uint8_t z = i % 3 ? 40 : 8;
        stack.planes.add(z, atom, depth * (0.08 * i - 0.02));  // some beyond either end
        all[z].push_back(atom);
      }
      stack.build(parametrization);
      Array<float, 2> whole({stack.grid.ny, stack.grid.nx});
      PotentialBuilder(stack.grid, 300, parametrization).projected_potentials({&all, nullptr}, {whole, {}});
      double worst = 0;
      for (std::size_t p = 0; p < whole.size(); ++p) {
        double sum = 0;
        for (const auto& s : stack.slices) sum += static_cast<double>(s.data()[p]);
        worst = std::max(worst, std::abs(sum - static_cast<double>(whole.data()[p])));
      }
      EXPECT_LT(worst / highest(whole), 1e-6) << thickness << " x " << count;
    }
}

/// In the middle of an atom that lies on a plane, as a plain sum over the grid's waves of the closed form.
double centre_of_slice(const Stack& stack, std::size_t slice, double depth_A) {
  const auto above = [&](double face_A, double k2) {
    const double whole = scattering_factor_A(Parametrization::kirkland, 40, k2);
    const double beyond =
        scattering_factor_beyond_A(Parametrization::kirkland, 40, k2, std::abs(face_A - depth_A));
    return face_A < depth_A ? beyond : whole - beyond;
  };
  const double top = static_cast<double>(slice) * stack.thickness_A, bottom = top + stack.thickness_A;
  const bool is_first = slice == 0, is_last = slice + 1 == stack.slices.size();
  double sum = 0;
  for (std::size_t j = 0; j < stack.grid.ny; ++j)
    for (std::size_t i = 0; i < stack.grid.nx; ++i) {
      const double k2 = std::pow(stack.grid.kx(i), 2) + std::pow(stack.grid.ky(j), 2);
      sum += above(is_last ? 1e3 : bottom, k2) - (is_first ? 0 : above(top, k2));
    }
  return sum * kPotentialConstant_VA2 /
         (static_cast<double>(stack.grid.size()) * stack.grid.dx_A * stack.grid.dy_A);
}

TEST(FiniteSlicing, SliceHoldsTheIntegralOverItsThickness) {
  for (const double thickness : {2.0, 0.5})
    for (const double depth : {0.0, 3.0, 4.0, 4.75}) {
      Stack stack(thickness, static_cast<std::size_t>(8 / thickness));
      stack.planes.add(40, {3, 2.4, 1}, depth);
      stack.build(Parametrization::kirkland);
      double worst = 0, most = 0;
      for (std::size_t s = 0; s < stack.slices.size(); ++s) {
        const double expected = centre_of_slice(stack, s, depth);
        worst = std::max(worst, std::abs(expected - static_cast<double>(stack.slices[s](24, 30))));
        most = std::max(most, expected);
      }
      EXPECT_LT(worst / most, 1e-3) << thickness << " at " << depth;
    }
}

/// An atom between two planes is on both, so that its mean height is its own.
TEST(FiniteSlicing, AtomsBetweenPlanesKeepTheirHeight) {
  AtomPlanes planes(2, 3);
  planes.add(8, {1, 2, 0.5f}, 1.3);
  double weight = 0, height = 0;
  for (std::size_t p = 0; p < planes.planes.size(); ++p)
    for (const auto& [z, placed] : planes.planes[p])
      for (const auto& atom : placed) {
        weight += static_cast<double>(atom.weight);
        height += static_cast<double>(atom.weight) * static_cast<double>(p) * planes.spacing_A;
      }
  EXPECT_NEAR(weight, 0.5, 1e-7);
  EXPECT_NEAR(height / weight, 1.3, 1e-6);
}

EngineSettings settings_of(std::size_t window_px, std::size_t cell_px, Slicing slicing) {
  EngineSettings s;
  s.microscope.convergence_mrad = 30;
  s.detectors = {{"adf", DetectorKind::annular, 39.4, 65, 1}, {"disc", DetectorKind::annular, 0, 32, 1}};
  s.grid.cell_x_px = s.grid.cell_y_px = cell_px;
  s.window_x_px = s.window_y_px = window_px;
  s.multislice.slicing = slicing;
  return s;
}

Array<float, 2> image(const EngineSettings& settings, double thickness_A) {
  BeamAtoms atoms;
  for (int k = -2; k <= 2; ++k)
    for (int j = -1; j <= 1; ++j)
      for (int i = -1; i <= 1; ++i) {
        if ((i + j + k) % 2 != 0) continue;
        atoms.atomic_number.push_back(i == 0 ? 8 : 40);
        atoms.position.emplace_back(2.55 * i + 0.03, 2.55 * j - 0.02, 2.55 * k + 0.4);
        atoms.weight.push_back(1);
      }
  std::vector<Vec2> probes;
  for (int i = 0; i < 9; ++i) probes.emplace_back(0.6 * (i % 3), 0.7 * (i / 3));
  TileEngine engine(settings);
  Array<float, 2> out({probes.size(), engine.channels().count});
  engine.simulate(atoms, SliceGrid::covering(-8, 7.99, thickness_A), probes, out);
  return out;
}

double difference(const Array<float, 2>& a, const Array<float, 2>& b, std::size_t channel) {
  double difference = 0, size = 0;
  for (std::size_t p = 0; p < a.extent(0); ++p) {
    difference += std::pow(static_cast<double>(a(p, channel) - b(p, channel)), 2);
    size += std::pow(static_cast<double>(b(p, channel)), 2);
  }
  return std::sqrt(difference / size);
}

TEST(FiniteSlicing, AgreesWithProjectedSlicesAsTheyGetThin) {
  for (const std::size_t cell : {0, 120}) {
    const auto finite = settings_of(cell ? cell : 96, cell, Slicing::finite);
    const auto projected = settings_of(cell ? cell : 96, cell, Slicing::projected);
    const auto thin = image(finite, 0.25);
    const double thick_apart = difference(image(projected, 2), thin, 0);
    EXPECT_LT(difference(image(projected, 0.25), thin, 0), 0.02);
    EXPECT_LT(difference(image(finite, 0.5), thin, 0), 0.01);
    EXPECT_LT(difference(image(finite, 2), thin, 0), thick_apart);
    EXPECT_LT(difference(image(finite, 0.5), thin, 1), 5e-4);
  }
}

}  // namespace
}  // namespace aetos::multislice
