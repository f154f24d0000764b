#include "aetos/atoms/film.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/units.hpp"

namespace aetos::atoms {
namespace {

Structure particle() {
  Structure s;
  for (int i = -2; i <= 2; ++i)
    for (int j = -2; j <= 2; ++j)
      for (int k = -2; k <= 2; ++k) s.position.push_back(3.2 * Vec3(i, j, k));
  s.atomic_number.assign(s.size(), 40);
  s.columns["occupancy"] = {std::vector<double>(s.size(), 0.5), 1};
  s.columns["phase"] = {std::vector<std::string>(s.size(), "metal"), 1};
  return s;
}

FilmOptions film_of(double thickness_A) {
  FilmOptions film;
  film.thickness_A = thickness_A;
  return film;
}

TEST(Film, CarbonLiesUnderTheParticleAtItsDensity) {
  Structure s = particle();
  const std::size_t before = s.size();
  const EulerAngles flat[] = {{0, 0, 0}};
  add_film(s, film_of(20), 5, 15, flat);
  const double grams = static_cast<double>(s.size() - before) * 12.011 / 0.602214;
  EXPECT_NEAR(grams / (30 * 30 * 20), 2.0, 0.001);
  for (std::size_t i = before; i < s.size(); ++i) {
    EXPECT_GE(s.position[i].z(), 6.4 + 2);
    EXPECT_LE(s.position[i].z(), 6.4 + 22);
    EXPECT_EQ(s.atomic_number[i], 6);
  }
  EXPECT_TRUE(pairs_within(std::span(s.position).subspan(before), 1.4 - 1e-9).empty());
  EXPECT_EQ(std::get<std::vector<double>>(s.columns.at("occupancy").values).back(), 1);
  EXPECT_EQ(without_film(s).position, particle().position);
  EXPECT_FALSE(without_film(s).columns.contains("film"));
}

TEST(Film, ASiliconNitrideFilmEmbedsTheParticleAndCoversATiltedField) {
  auto options = film_of(16);
  options.material = FilmMaterial::silicon_nitride;
  options.position = FilmPosition::around;
  const EulerAngles tilts[] = {{0, -60, 0}, {0, 60, 0}};
  Structure s = particle();
  const std::size_t before = s.size();
  add_film(s, options, 5, 12, tilts);
  const NeighbourSearch inner(std::span(s.position).first(before));
  double x = 0, y = 0;
  std::size_t silicon = 0;
  for (std::size_t i = before; i < s.size(); ++i) {
    EXPECT_GE(inner.nearest(s.position[i])->distance_A, 3);
    x = std::max(x, s.position[i].x());
    y = std::max(y, s.position[i].y());
    silicon += s.atomic_number[i] == 14;
  }
  EXPECT_NEAR(x, (12 + 8 * std::sin(radians(60))) / std::cos(radians(60)), 1);
  EXPECT_NEAR(y, 12, 0.5);
  EXPECT_NEAR(static_cast<double>(silicon) / static_cast<double>(s.size() - before), 3.0 / 7, 1e-3);
  Structure again = particle(), other = particle();
  add_film(again, options, 5, 12, tilts);
  add_film(other, options, 6, 12, tilts);
  EXPECT_EQ(again.position, s.position);
  EXPECT_NE(other.position, s.position);
}

}  // namespace
}  // namespace aetos::atoms
