#include <gtest/gtest.h>

#include "multislice_reference.hpp"

/// Windows against the whole cell, on the small particle at the study's sampling.
namespace aetos::test {
namespace {

using namespace multislice;

Array<float, 2> simulate(const EngineSettings& settings, const BeamAtoms& atoms,
                         const std::vector<Vec2>& probes) {
  TileEngine engine(settings);
  Array<float, 2> out({probes.size(), engine.channels().count});
  engine.simulate(atoms, {2, -10, 20}, probes, out);
  return out;
}

double channel_rms(const Array<float, 2>& a, const Array<float, 2>& b, std::size_t channel) {
  std::vector<double> ours, reference;
  for (std::size_t p = 0; p < a.extent(0); ++p) {
    ours.push_back(static_cast<double>(a(p, channel)));
    reference.push_back(static_cast<double>(b(p, channel)));
  }
  return relative_rms(ours, reference);
}

TEST(Window, HoldsHalfAPercentOfTheWholeCell) {
  AETOS_NEEDS_SHARED("multislice/small-particle.extxyz");
  BeamAtoms atoms = read_beam_atoms(shared_data("multislice/small-particle.extxyz"));
  for (auto& r : atoms.position) r -= Vec3(20, 20, 20);
  std::vector<Vec2> probes;
  for (int j = 0; j < 6; ++j)
    for (int i = 0; i < 6; ++i) probes.emplace_back(-9.03 + 3.517 * i, -9.03 + 3.517 * j);
  EngineSettings whole = reference_settings(40, 400);
  whole.grid.corner_A = Vec2(-20, -20);
  whole.microscope.focus_reference = FocusReference::centre;
  whole.multislice.detector_edges = DetectorEdges::area;
  whole.detectors = {{"adf", DetectorKind::annular, 39.4, 65, 1}, {"bf", DetectorKind::annular, 0, 20, 1}};
  const auto reference = simulate(whole, atoms, probes);
  EngineSettings window = whole;
  window.grid.cell_x_px = window.grid.cell_y_px = 0;
  for (const auto& [size, bound] : {std::pair<std::size_t, double>{96, 1.2e-2}, {128, 5e-3}}) {
    window.window_x_px = window.window_y_px = size;
    const auto ours = simulate(window, atoms, probes);
    const double adf = channel_rms(ours, reference, 0), bf = channel_rms(ours, reference, 1);
    std::printf("    %zu px: ADF %.1e, 0-20 mrad %.1e\n", size, adf, bf);
    EXPECT_LT(adf, bound);
    EXPECT_LT(bf, 1e-2);
  }
}

}  // namespace
}  // namespace aetos::test
