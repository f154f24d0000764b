#include "aetos/imaging/integrate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "aetos/core/units.hpp"
#include "support/shared_data.hpp"

namespace aetos::imaging {
namespace {

/// abTEM's integrated centre of mass of one cell of ZrO2 (data/multislice/README.md, case 8).
TEST(Integrate, AgreesWithAbtemOnAPeriodicScan) {
  Array<double, 2> x({16, 16}), y({16, 16}), expected({16, 16});
  std::ifstream file(test::source_dir() / "tests/data/idpc_zro2_100.csv");
  std::string line;
  std::getline(file, line);
  int rows = 0;
  for (; std::getline(file, line); ++rows) {
    std::istringstream row(line);
    std::size_t ix = 0, iy = 0;
    char comma = 0;
    double com_x = 0, com_y = 0, idpc = 0;
    row >> ix >> comma >> iy >> comma >> com_x >> comma >> com_y >> comma >> idpc;
    const double to_1_A = 1e-3 / electron_wavelength_A(300);
    x(iy, ix) = com_x * to_1_A;
    y(iy, ix) = com_y * to_1_A;
    expected(iy, ix) = idpc;
  }
  ASSERT_EQ(rows, 256);
  const auto ours = integrate_gradient(x, y, 5.09 / 16, {true, true});
  for (std::size_t p = 0; p < ours.size(); ++p) EXPECT_NEAR(ours.data()[p], expected.data()[p], 1e-7);
}

/// Waves whose slope is zero at the borders are what a mirrored axis holds exactly.
TEST(Integrate, BordersAreFreeWhereNothingRepeats) {
  const std::size_t ny = 40, nx = 50;
  const double step = 0.3, width = step * nx, height = step * ny;
  Array<double, 2> x({ny, nx}), y({ny, nx}), image({ny, nx});
  double lowest = 1e9;
  for (std::size_t j = 0; j < ny; ++j)
    for (std::size_t i = 0; i < nx; ++i) {
      const double u = kPi * (static_cast<double>(i) + 0.5) * step / width,
                   v = 3 * kPi * (static_cast<double>(j) + 0.5) * step / height;
      image(j, i) = 2 * std::cos(u) + std::cos(v) * std::cos(2 * u);
      x(j, i) = -kPi / width * (2 * std::sin(u) + 2 * std::cos(v) * std::sin(2 * u));
      y(j, i) = -3 * kPi / height * std::sin(v) * std::cos(2 * u);
      lowest = std::min(lowest, image(j, i));
    }
  const auto ours = integrate_gradient(x, y, step, {false, false});
  for (std::size_t p = 0; p < ours.size(); ++p) EXPECT_NEAR(ours.data()[p], image.data()[p] - lowest, 1e-9);
}

}  // namespace
}  // namespace aetos::imaging
