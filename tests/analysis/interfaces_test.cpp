#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "aetos/analysis/analyze.hpp"
#include "aetos/atoms/build.hpp"
#include "aetos/core/error.hpp"
#include "aetos/io/structure_files.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::analysis {
namespace {

Structure no_file(const std::string&) {
  return {};
}

atoms::SolidOptions fcc(double a, std::vector<std::string> elements = {"Zr"}) {
  atoms::SolidOptions solid;
  solid.structure = atoms::Lattice::fcc;
  solid.elements = std::move(elements);
  solid.a_A = a;
  return solid;
}

class Grains : public ::testing::Test {
 protected:
  nlohmann::json run(const Structure& model, const std::string& measure) {
    const RunContext context{comm_, stop_, folder_.path(), folder_.path(), "fingerprint", "", 1, 60};
    AnalyzeRequest request{.atoms = model, .measures = {measure}, .cutoff_A = cutoff_A_};
    request.layer_A = layer_A_;
    return analyze(context, request, folder_.path())[measure];
  }
  Communicator comm_{MPI_COMM_SELF};
  Stop stop_;
  test::TemporaryFolder folder_;
  Auto<double> cutoff_A_ = 4.2;
  double layer_A_ = 5.3;
};

/// Metal (x < 0) and the Zr of cubic ZrO2 (x > 0), turned against each other.
Structure metal_on_oxide(double bend_deg, double twist_deg) {
  atoms::BuildOptions o;
  o.kind = atoms::BuildKind::bicrystal;
  o.crystal = fcc(4.53);
  o.second = fcc(5.09);
  o.radius_A = 22;
  o.clearance_A = 2.6;
  o.bend_deg = bend_deg;
  o.twist_deg = twist_deg;
  o.disorder_A = 0.06;
  return atoms::build_specimen(o, 3, no_file);
}

TEST_F(Grains, BendAndTwistOfABicrystalWithinTwoTenthsOfADegree) {
  const auto check = [&](double bend, double twist) {
    SCOPED_TRACE(testing::Message() << "bend " << bend << ", twist " << twist);
    const auto result = run(metal_on_oxide(bend, twist), "interfaces");
    ASSERT_EQ(result["boundaries"].size(), 1u) << result.dump(1);
    const auto& b = result["boundaries"][0];
    EXPECT_NEAR(b["bend_deg"].get<double>(), bend, 0.2);
    EXPECT_NEAR(b["twist_deg"].get<double>(), twist, 0.2);
    EXPECT_GT(std::abs(b["normal"][0].get<double>()), std::cos(0.05));
    EXPECT_LT(b["flatness_A"].get<double>(), 1.5);
  };
  for (double angle : {0.0, 2.0, 4.0, 8.0, 11.0, 15.0}) {
    check(angle, 0);
    check(0, angle);
  }
  check(8, 11);
}

TEST_F(Grains, GrainsOfOnePhaseAreToldApartAndACoherentBoundaryFits) {
  atoms::BuildOptions o;
  o.kind = atoms::BuildKind::bicrystal;
  o.crystal = fcc(4.53);
  o.radius_A = 20;
  o.clearance_A = 2.6;
  o.twist_deg = 15;
  auto result = run(atoms::build_specimen(o, 3, no_file), "interfaces");
  ASSERT_EQ(result["boundaries"].size(), 1u);
  EXPECT_NEAR(result["boundaries"][0]["twist_deg"].get<double>(), 15, 0.2);
  EXPECT_LT(result["boundaries"][0]["coherency"].get<double>(), 0.7);
  EXPECT_NEAR(result["grains"][0]["bond_A"].get<double>(), 4.53 / std::sqrt(2.0), 0.01);

  // Two lattices of nearly one constant, on either side of the boundary between metal and oxide: cube on
  // cube.
  o.twist_deg = 0;
  o.crystal = fcc(4.78);
  o.second = fcc(4.84);
  result = run(atoms::build_specimen(o, 3, no_file), "interfaces");
  ASSERT_EQ(result["boundaries"].size(), 1u);
  EXPECT_GT(result["boundaries"][0]["coherency"].get<double>(), 0.95);
  EXPECT_GT(result["interface_atoms"].get<int>(), 100);
}

TEST_F(Grains, AtomsAtAnInterfaceHaveFewerNeighbours) {
  const auto phases = run(metal_on_oxide(0, 11), "interfaces")["by_phase"];
  const auto coordination = [&](const char* phase, const char* where) {
    return phases[phase][where]["mean_coordination"].get<double>();
  };
  for (const char* phase : {"c-ZrO2", "metal"}) {
    EXPECT_GT(coordination(phase, "off_interface"), 11.3);
    EXPECT_LE(coordination(phase, "off_interface"), 12.05);
    EXPECT_LT(coordination(phase, "at_interface"), coordination(phase, "off_interface") - 0.5);
  }
}

TEST_F(Grains, AnOctahedronHasItsFacetsAndACubeNone) {
  Structure octahedron, cube;
  for (int x = -12; x <= 12; ++x)
    for (int y = -12; y <= 12; ++y)
      for (int z = -12; z <= 12; ++z) {
        if ((x + y + z) % 2 != 0) continue;
        const Vec3 r = 0.5 * 4.53 * Vec3(x, y, z);
        if (std::abs(x) + std::abs(y) + std::abs(z) <= 12) octahedron.position.push_back(r);
        if (std::max({std::abs(x), std::abs(y), std::abs(z)}) <= 6) cube.position.push_back(r);
      }
  octahedron.atomic_number.assign(octahedron.position.size(), 40);
  cube.atomic_number.assign(cube.position.size(), 40);
  const auto atoms_of = [&](const Structure& s, const char* which) {
    return run(s, "facets")["grains"][0][which].get<int>();
  };
  // At a corner of either, the three or four atoms next to it lie on a plane that the shape does not have, or
  // miss theirs.
  EXPECT_EQ(atoms_of(octahedron, "facet_111_atoms"), atoms_of(octahedron, "boundary_atoms") - 6 * 4);
  EXPECT_LE(atoms_of(cube, "facet_111_atoms"), 8 * 3);
  EXPECT_GT(atoms_of(cube, "boundary_atoms"), 400);
}

TEST_F(Grains, SigmaIsTheColumnsMean) {
  auto model = metal_on_oxide(0, 0);
  std::vector<double> widths(model.size(), 0.35);
  widths[0] = 0.45;
  model.columns["sigma_a"] = {widths, 1};
  const auto all = run(model, "sigma")["all"];
  const double n = static_cast<double>(model.size());
  EXPECT_NEAR(all["mean_A"].get<double>(), 0.35 + 0.1 / n, 1e-12);
  model.columns.erase("sigma_a");
  EXPECT_THROW(run(model, "sigma"), InputError);
}

TEST_F(Grains, LayersHoldEveryAtomOnce) {
  const auto model = metal_on_oxide(0, 0);
  const auto layers = run(model, "slices")["layers"];
  std::size_t atoms = 0;
  for (const auto& layer : layers) {
    atoms += layer["atoms"].get<std::size_t>();
    const double z = layer["z_A"];
    const auto inside = std::count_if(model.position.begin(), model.position.end(),
                                      [&](const Vec3& r) { return r.z() >= z - 2.65 && r.z() < z + 2.65; });
    EXPECT_EQ(layer["atoms"], inside);
  }
  EXPECT_EQ(atoms, model.size());
}

TEST_F(Grains, ShortRangeOrderOfAnL10Alloy) {
  Structure s;
  for (int x = -5; x <= 5; ++x)
    for (int y = -5; y <= 5; ++y)
      for (int z = -5; z <= 5; ++z)
        if ((x + y + z) % 2 == 0) {
          s.position.push_back(1.9 * Vec3(x, y, z));
          s.atomic_number.push_back(z % 2 == 0 ? 26 : 78);
        }
  cutoff_A_ = 3.2;
  // Inside, 4 of the 12 neighbours are alike; ends count too, so compare with counting by hand.
  double like = 0, all = 0, iron = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    iron += s.atomic_number[i] == 26;
    for (std::size_t j = 0; j < s.size(); ++j)
      if (i != j && s.atomic_number[i] == 26 && (s.position[i] - s.position[j]).norm() < 3.2) {
        like += s.atomic_number[j] == 26;
        ++all;
      }
  }
  const auto sro = run(s, "sro")["warren_cowley"];
  EXPECT_NEAR(sro["Fe-Fe"].get<double>(), 1 - like / all * static_cast<double>(s.size()) / iron, 1e-12);
  EXPECT_GT(sro["Fe-Fe"].get<double>(), 0.2);
  EXPECT_LT(sro["Fe-Pt"].get<double>(), -0.2);
}

}  // namespace
}  // namespace aetos::analysis
