#include "aetos/analysis/fill_oxygen.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "aetos/core/error.hpp"
#include "analysis/oxide_sphere.hpp"

namespace aetos::analysis {
namespace {

std::size_t oxygens(const Structure& s) {
  return static_cast<std::size_t>(std::count(s.atomic_number.begin(), s.atomic_number.end(), 8));
}

TEST(FillOxygen, FillsTheFluoriteSites) {
  const auto zr = test::oxide_sphere(18);
  const auto full = fill_oxygen(zr, {1, 1, 1, 1}, 3, "sphere");
  // Every oxygen has its four zirconium neighbours at a sqrt(3) / 4, and lies on a site of the lattice.
  for (std::size_t i = zr.size(); i < full.size(); ++i)
    for (int k = 0; k < 3; ++k) {
      const double x = full.position[i][k] / 5.09 - 0.25;
      EXPECT_NEAR(2 * x, std::round(2 * x), 1e-9);
    }
  const auto part = fill_oxygen(zr, {0, 0.5, 0, 0}, 3, "sphere");
  EXPECT_NEAR(static_cast<double>(oxygens(part)) / static_cast<double>(oxygens(full)), 0.5, 0.06);
  EXPECT_EQ(part.position, fill_oxygen(zr, {0, 0.5, 0, 0}, 3, "sphere").position);
  EXPECT_NE(part.position, fill_oxygen(zr, {0, 0.5, 0, 0}, 4, "sphere").position);
  EXPECT_EQ(oxygens(fill_oxygen(zr, {1, 0, 1, 1}, 3, "sphere")), 0u);
}

TEST(FillOxygen, RefusesAModelWithOxygenAndUnknownPhases) {
  auto zr = test::oxide_sphere(18);
  zr.columns["phase"] = {std::vector<std::string>(zr.size(), "tetragonal"), 1};
  EXPECT_THROW(fill_oxygen(zr, {}, 1, "sphere"), InputError);
  zr.columns.clear();
  zr.atomic_number[5] = 8;
  EXPECT_THROW(fill_oxygen(zr, {}, 1, "sphere"), InputError);
}

}  // namespace
}  // namespace aetos::analysis
