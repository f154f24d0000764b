#include "aetos/tracing/projection_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"

namespace aetos::tracing {
namespace {

constexpr double kPixel = 0.35;

struct Scene {
  AtomModel model;
  std::vector<double> parameters;
};

Scene scene(std::size_t atoms, std::size_t species) {
  Scene s;
  s.model.layout = {atoms, species};
  const auto& at = s.model.layout;
  s.parameters.resize(at.size());
  for (std::size_t a = 0; a < atoms; ++a) {
    s.model.species_of.push_back(a % species);
    const auto u = random::uniform4(3, random::Domain::test, {0, 0, a});
    for (std::size_t i = 0; i < 3; ++i) s.parameters[at.position(a) + i] = 10 * u[i] - 5;
    s.parameters[at.intensity(a)] = 0.5 + u[3];
  }
  for (std::size_t k = 0; k < species; ++k) s.parameters[at.width(k)] = 0.16 + 0.08 * static_cast<double>(k);
  s.parameters[at.growth()] = 2e-3;
  s.parameters[at.fading()] = 3e-3;
  s.model.shape = std::make_shared<const PeakShape>(PeakShape::gaussian(12, 0.03));
  return s;
}

Array<float, 2> noisy_image(const Scene& s, const Mat3& rotation, const Shape<2>& shape) {
  const auto clean = AtomProjector(s.model, s.parameters).project(rotation, shape, kPixel);
  Array<float, 2> image(shape);
  for (std::size_t i = 0; i < image.size(); ++i)
    image.data()[i] = static_cast<float>(3 * clean.data()[i] + 0.2 +
                                         0.1 * random::normal4(3, random::Domain::test, {1, 0, i})[0]);
  return image;
}

TEST(ProjectionModel, an_atom_falls_where_the_convention_says_and_keeps_its_integral) {
  Scene s = scene(1, 1);
  const Vec3 r(1, 2, 3);  // the specification's test vector
  for (std::size_t i = 0; i < 3; ++i) s.parameters[i] = r(static_cast<Eigen::Index>(i));
  s.parameters[3] = 2.5;
  s.parameters[s.model.layout.fading()] = 0;
  for (const Shape<2> shape : {Shape<2>{40, 51}, Shape<2>{41, 50}}) {
    const auto image =
        AtomProjector(s.model, s.parameters).project(rotation_matrix({10, 20, 30}), shape, kPixel);
    double sum = 0, u = 0, v = 0;
    for (std::size_t y = 0; y < shape[0]; ++y)
      for (std::size_t x = 0; x < shape[1]; ++x) {
        sum += image(y, x);
        u += image(y, x) * (static_cast<double>(x) - static_cast<double>(shape[1] / 2)) * kPixel;
        v += image(y, x) * (static_cast<double>(y) - static_cast<double>(shape[0] / 2)) * kPixel;
      }
    EXPECT_NEAR(u / sum, 0.225708, 1e-3);  // a peak ends at a thousandth of its height
    EXPECT_NEAR(v / sum, 3.192695, 1e-3);
    EXPECT_NEAR(sum * kPixel * kPixel, 2.5, 5e-3);
  }
}

TEST(ProjectionModel, scale_and_offset_are_found) {
  const Scene s = scene(20, 1);
  const Mat3 rotation = rotation_matrix({0, 25, 0});
  const auto clean = AtomProjector(s.model, s.parameters).project(rotation, {40, 40}, kPixel);
  Array<float, 2> image({40, 40});
  for (std::size_t i = 0; i < image.size(); ++i)
    image.data()[i] = static_cast<float>(7 * clean.data()[i] - 2);
  std::vector<double> gradient(s.parameters.size());
  const auto fit = AtomProjector(s.model, s.parameters).misfit(rotation, image, {}, kPixel, gradient);
  EXPECT_NEAR(fit.scale, 7, 1e-5);
  EXPECT_NEAR(fit.offset, -2, 1e-5);
  EXPECT_LT(fit.misfit, 1e-8);
}

multislice::MicroscopeOptions lens() {
  multislice::MicroscopeOptions m;
  m.voltage_kV = 300;
  m.convergence_mrad = 30;
  return m;
}

TEST(ProjectionModel, gradient_equals_finite_differences) {
  const Mat3 rotation = rotation_matrix({12, 34, -21});
  for (const bool probe : {false, true}) {
    Scene s = scene(12, 2);
    if (probe) s.model.shape = std::make_shared<const PeakShape>(PeakShape::probe(lens(), 12, 0.03));
    const auto image = noisy_image(s, rotation, {42, 45});
    Array<float, 2> weight(image.shape());
    for (std::size_t i = 0; i < weight.size(); ++i) weight.data()[i] = 0.5f + static_cast<float>(i % 7) / 7;
    for (std::size_t i = 0; i < s.parameters.size(); ++i)  // away from the truth
      s.parameters[i] *= 1 + 0.05 * random::normal4(3, random::Domain::test, {2, 0, i})[0];
    const std::size_t n = s.parameters.size();
    std::vector<double> gradient(n), unused(n);
    (void)AtomProjector(s.model, s.parameters).misfit(rotation, image, weight, kPixel, gradient);
    double largest = 0;
    for (std::size_t i = 0; i < 3 * s.model.layout.atoms; ++i)
      largest = std::max(largest, std::abs(gradient[i]));
    for (std::size_t i = 0; i < n; ++i) {
      const double step = i >= s.model.layout.growth() ? 1e-6 : 1e-5;
      const auto at = [&](double distance) {
        auto there = s.parameters;
        there[i] += distance;
        return AtomProjector(s.model, there).misfit(rotation, image, weight, kPixel, unused).misfit;
      };
      const double difference = (at(step) - at(-step)) / (2 * step);
      EXPECT_NEAR(gradient[i], difference, 2e-4 * std::max(largest, std::abs(difference)))
          << "parameter " << i << ", probe " << probe;
    }
  }
}

TEST(ProjectionModel, slopes_to_the_pose_equal_finite_differences) {
  Scene s = scene(12, 1);
  const Sight sight{rotation_matrix({12, 34, -21}), 0.3, -0.2};
  const auto image = noisy_image(s, sight.rotation, {42, 45});
  std::vector<double> unused(s.parameters.size());
  const auto misfit = [&](const Sight& from) {
    return AtomProjector(s.model, s.parameters).misfit(from, image, {}, kPixel, unused);
  };
  const auto fit = misfit(sight);
  for (std::size_t i = 0; i < fit.by_pose.size(); ++i) {
    PoseChange there{}, back{};
    there[i] = 1e-5, back[i] = -1e-5;
    const double difference = (misfit(sight.after(there)).misfit - misfit(sight.after(back)).misfit) / 2e-5;
    EXPECT_NEAR(fit.by_pose[i], difference, 1e-4 * std::abs(difference)) << i;
  }
}

TEST(ProjectionModel, a_probe_in_focus_is_airys_disc) {
  // (2 J1(x) / x)² K² pi, x = 2 pi K r (Born and Wolf, 8.5.2); the blur of 0.05 Å takes 5 % off its height.
  const double edge = 0.03 / electron_wavelength_A(300), height = kPi * edge * edge;
  const PeakTable table(PeakShape::probe(lens(), 1, 0.0025), 0.0025, 0);
  const auto focus = table.place(0);
  for (const double r : {0.05, 0.15, 0.25, 0.35, 0.55}) {
    const double x = 2 * kPi * edge * r, airy = std::pow(2 * std::cyl_bessel_j(1.0, x) / x, 2);
    EXPECT_NEAR(table.at(focus, r * r) / height, airy, 0.1) << r;
  }
}

TEST(ProjectionModel, a_probe_far_from_focus_spreads_by_geometry) {
  // Rays fill a disc of radius z alpha evenly: a quarter of them lies within half of it.
  const PeakTable table(PeakShape::probe(lens(), 140, 0.02), 0.02, 0);
  for (const double z : {-140.0, 140.0}) {
    double inside = 0;
    const double step = 0.01;
    for (double r = step / 2; r < 0.5 * 140 * 0.03; r += step)
      inside += 2 * kPi * r * step * table.at(table.place(z), r * r);
    EXPECT_NEAR(inside, 0.25, 0.01) << z;
  }
}

TEST(ProjectionModel, underfocus_sharpens_what_lies_behind_the_plane) {
  auto lens_ = lens();
  lens_.defocus_A = 40;  // the electrons fly towards +z, and cross over behind z = 0
  const PeakTable table(PeakShape::probe(lens_, 60, 0.04), 0.04, 0);
  EXPECT_GT(table.at(table.place(40), 0), 2 * table.at(table.place(0), 0));
  EXPECT_NEAR(table.at(table.place(20), 0), table.at(table.place(60), 0), 1e-3);
}

TEST(ProjectionModel, an_atom_outside_the_image_and_an_empty_image_are_harmless) {
  Scene s = scene(2, 1);
  s.parameters[0] = 500;
  Array<float, 2> image({30, 30});
  std::vector<double> gradient(s.parameters.size(), 1.0);
  const auto fit =
      AtomProjector(s.model, s.parameters).misfit(Mat3(Mat3::Identity()), image, {}, kPixel, gradient);
  EXPECT_EQ(fit.misfit, 0);
  for (const double g : gradient) EXPECT_EQ(g, 0);
}

TEST(ProjectionModel, fisher_information_of_a_lone_atom_is_the_known_one) {
  // Uniform variance v: I_uu = A² pi / (2 v pixel²), A the height (e.g. Ober et al. 2004 in the limit of
  // small pixels).
  Scene s = scene(1, 1);
  const auto& at = s.model.layout;
  for (std::size_t i = 0; i < 3; ++i) s.parameters[i] = 0.1;
  s.parameters[at.growth()] = s.parameters[at.fading()] = 0;
  const double scale = 2,
               height = scale * s.parameters[at.intensity(0)] / (2 * kPi * s.parameters[at.width(0)]);
  Array<double, 2> variance({60, 60});
  for (double& v : variance) v = 0.5;
  std::vector<double> information(10);
  AtomProjector(s.model, s.parameters)
      .add_fisher_information(Mat3(Mat3::Identity()), scale, variance, 0.2, information);
  const double expected = height * height * kPi / (2 * 0.5 * 0.2 * 0.2);
  EXPECT_NEAR(information[0] / expected, 1, 1e-3);  // xx
  EXPECT_NEAR(information[4] / expected, 1, 1e-3);  // yy
  EXPECT_NEAR(information[7], 0, 1e-12);            // zz: not seen along the beam
}

}  // namespace
}  // namespace aetos::tracing
