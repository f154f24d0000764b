#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cmath>

#include "aetos/analysis/analyze.hpp"
#include "aetos/atoms/build.hpp"
#include "aetos/core/random.hpp"
#include "aetos/core/units.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::analysis {
namespace {

constexpr double kEdge_A = 4.53, kPoisson = 0.34;

/// x along [1 -1 0], y along [1 1 1], z along [1 1 -2]: rows of the matrix from cube axes to the specimen's.
Mat3 slip_axes() {
  Mat3 axes;
  axes.row(0) = Vec3(1, -1, 0).normalized();
  axes.row(1) = Vec3(1, 1, 1).normalized();
  axes.row(2) = axes.row(0).transpose().cross(axes.row(1).transpose());
  return axes;
}

/// Displacement of an edge dislocation along z with Burgers vector (b, 0, 0) (Hirth and Lothe 1982, eq.
/// 3-45).
Vec3 edge(const Vec3& r, double b) {
  const double x = r.x(), y = r.y(), r2 = x * x + y * y, c = b / (2 * kPi);
  return {c * (std::atan2(y, x) + x * y / (2 * (1 - kPoisson) * r2)),
          -c * ((1 - 2 * kPoisson) / (4 * (1 - kPoisson)) * std::log(r2) +
                (x * x - y * y) / (4 * (1 - kPoisson) * r2)),
          0};
}
/// Of a screw dislocation along x, Burgers vector (b, 0, 0).
Vec3 screw(const Vec3& r, double b) {
  return {b / (2 * kPi) * std::atan2(r.z(), r.y()), 0, 0};
}
Vec3 nothing(const Vec3&, double) {
  return Vec3::Zero();
}

/// A ball of FCC zirconium about a place between the atoms, displaced, with noise of `noise_A` rms along each
/// axis.
Structure ball(Vec3 (*field)(const Vec3&, double), double noise_A, bool vacancies = false) {
  const double radius = 24, b = kEdge_A / std::sqrt(2.0);
  const Mat3 axes = slip_axes();
  Structure s;
  std::uint64_t n = 0;
  for (int h = -16; h <= 16; ++h)
    for (int k = -16; k <= 16; ++k)
      for (int l = -16; l <= 16; ++l) {
        if ((h + k + l) % 2 != 0) continue;
        const Vec3 r = axes * (kEdge_A / 2 * Vec3(h, k, l)) + Vec3(0.37, 0.55, 0.81);
        if (r.norm() > radius) continue;
        ++n;
        if (vacancies && n % 41 == 0) continue;
        const auto g = random::normal4(3, random::Domain::test, {0, 0, n});
        s.position.push_back(r + field(r, b) + noise_A * Vec3(g[0], g[1], g[2]));
        s.atomic_number.push_back(40);
      }
  return s;
}

class Dislocations : public ::testing::Test {
 protected:
  nlohmann::json run(const Structure& model) {
    const RunContext context{comm_, stop_, folder_.path(), folder_.path(), "fingerprint", "", 1, 60};
    return analyze(context, {.atoms = model, .measures = {"dislocations"}, .cutoff_A = cutoff_A_},
                   folder_.path())["dislocations"];
  }
  Communicator comm_{MPI_COMM_SELF};
  Stop stop_;
  test::TemporaryFolder folder_;
  double cutoff_A_ = 3.9;
};

Vec3 vector_of(const nlohmann::json& v) {
  return Vec3(v[0].get<double>(), v[1].get<double>(), v[2].get<double>());
}

TEST_F(Dislocations, AnEdgeDislocationHasItsBurgersVectorPlaceAndLine) {
  for (const double noise : {0.0, 0.06}) {
    const auto found = run(ball(edge, noise));
    ASSERT_EQ(found["number"], 1) << found.dump(1);
    const auto& line = found["lines"][0];
    const Vec3 b = vector_of(line["burgers_xyz_A"]), place = vector_of(line["place_A"]),
               along = vector_of(line["direction"]);
    EXPECT_NEAR(b.norm(), kEdge_A / std::sqrt(2.0), 0.05);
    EXPECT_GT(std::abs(b.normalized().x()), std::cos(radians(2.0)));
    EXPECT_NEAR(vector_of(line["burgers_cube"]).norm(), std::sqrt(0.5), 1e-12);
    EXPECT_GT(std::abs(along.z()), std::cos(radians(6.0)));
    EXPECT_LT(std::hypot(place.x(), place.y()), 3);
    EXPECT_GT(line["length_A"].get<double>(), 36);
    EXPECT_GT(line["character_deg"].get<double>(), 84);
  }
}

TEST_F(Dislocations, AScrewDislocationRunsAlongItsBurgersVector) {
  const auto found = run(ball(screw, 0.06));
  ASSERT_EQ(found["number"], 1) << found.dump(1);
  const auto& line = found["lines"][0];
  EXPECT_GT(std::abs(vector_of(line["burgers_xyz_A"]).normalized().x()), std::cos(radians(2.0)));
  EXPECT_GT(std::abs(vector_of(line["direction"]).x()), std::cos(radians(6.0)));
  EXPECT_LT(line["character_deg"].get<double>(), 6);
}

TEST_F(Dislocations, VacanciesAndNoiseAreNone) {
  EXPECT_EQ(run(ball(nothing, 0.08, true))["number"], 0);
}

/// A ball of two FCC crystals that meet at x = 0.
Structure bicrystal(double a_A, double second_a_A, double bend_deg) {
  const auto fcc = [](double a) {
    atoms::SolidOptions solid;
    solid.structure = atoms::Lattice::fcc;
    solid.elements = {"Zr"};
    solid.a_A = a;
    return solid;
  };
  atoms::BuildOptions o;
  o.kind = atoms::BuildKind::bicrystal;
  o.crystal = fcc(a_A);
  o.second = fcc(second_a_A);
  o.radius_A = 30;
  o.clearance_A = 2.6;
  o.bend_deg = bend_deg;
  return atoms::build_specimen(o, 3, [](const std::string&) { return Structure{}; });
}

TEST_F(Dislocations, ATiltBoundaryIsARowOfEdgeDislocations) {
  // Two grains of one crystal, bent by 8 degrees against each other: lines b / (2 sin 4 degrees) = 23 Å apart
  // (Read and Shockley 1950).
  const auto found = run(bicrystal(kEdge_A, kEdge_A, 8));
  EXPECT_GE(found["number"].get<int>(), 2) << found.dump(1);
  for (const auto& line : found["lines"])
    EXPECT_LT(std::abs(line["place_A"][0].get<double>()), 4) << line.dump();
}

TEST_F(Dislocations, MetalOnOxideIsANetworkThatMakesUpForTheMisfit) {
  cutoff_A_ = 4.2;
  const auto found = run(bicrystal(4.53, 5.09, 0));
  ASSERT_EQ(found["number"], 2) << found.dump(1);
  const auto &a = found["lines"][0], &b = found["lines"][1];
  EXPECT_TRUE(a["network"].get<bool>() && b["network"].get<bool>());
  EXPECT_LT(std::abs(vector_of(a["direction"]).dot(vector_of(b["direction"]))), 1e-6);
  for (const auto& line : {a, b}) {
    // Over the length of a cut the two lattices are apart by their misfit, to a vector of the lattice; it
    // lies in the boundary and across the lines, which are edge dislocations.
    EXPECT_LT(std::abs(vector_of(line["direction"]).x()), 0.05);
    EXPECT_LT(std::abs(vector_of(line["burgers_xyz_A"]).x()), 0.5) << line.dump();
    EXPECT_NEAR(line["burgers_A"].get<double>(),
                line["length_A"].get<double>() * 2 * (5.09 - 4.53) / (5.09 + 4.53), 3.6);
    EXPECT_GT(line["character_deg"].get<double>(), 80);
  }
}

}  // namespace
}  // namespace aetos::analysis
