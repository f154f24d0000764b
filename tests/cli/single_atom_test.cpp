#include <gtest/gtest.h>

#include "aetos/io/structure_files.hpp"
#include "support/process.hpp"

/// One atom away from the centre goes through simulate, reconstruct and trace, and comes back where it was: axes,
/// signs and the centre's index are right in every stage, for even and odd image sizes.
namespace aetos::test {
namespace {

class SingleAtom : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(SingleAtom, ComesBackWhereItWas) {
  const auto& [field, projector] = GetParam();
  const Vec3 truth(1.3, -2.1, 0.7);
  TemporaryFolder folder;
  folder.write("atom.xyz", fmt::format("1\none atom\nZr {} {} {}\n", truth.x(), truth.y(), truth.z()));
  const auto config = folder.write(
      "one.yaml", fmt::format("output: run\nstages: [simulate, reconstruct, trace]\n"
                              "specimen: {{file: atom.xyz}}\n"
                              "microscope: {{voltage_kV: 300, convergence_mrad: 30, source_fwhm_A: 0.8}}\n"
                              "detectors: [{{name: adf, kind: annular, inner_mrad: 39.4, outer_mrad: 60}}]\n"
                              "scan: {{pixel_A: 0.3434, field_A: {}}}\n"
                              "tilts: {{theta_deg: {{start: -75, stop: 75, step: 5}}}}\n"
                              "multislice: {{window: {{width_A: 9.6}}}}\n"
                              "reconstruct: {{iterations: 60, oversampling: 3, projector: {}}}\n"
                              "trace: {{species: [Zr]}}\n",
                              field, projector));
  const auto outcome = run_aetos("run " + config, 2);
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const auto atoms = io::read_structure((folder.path() / "run" / "atoms.extxyz").string());
  ASSERT_EQ(atoms.size(), 1u);
  EXPECT_LT((atoms.position[0] - truth).norm(), 0.02) << atoms.position[0].transpose();
}

// 0.3434 Å x 32, x 33, and rows and columns of different number and parity.
INSTANTIATE_TEST_SUITE_P(EvenAndOdd, SingleAtom,
                         ::testing::Combine(::testing::Values("10.9888", "11.3322", "[10.9888, 12.0190]"),
                                            ::testing::Values("fourier", "real-space")));

}  // namespace
}  // namespace aetos::test
