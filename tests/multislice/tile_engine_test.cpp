#include "aetos/multislice/tile_engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "aetos/core/error.hpp"

namespace aetos::multislice {
namespace {

EngineSettings settings_of(std::size_t window_px, std::size_t cell_px = 0) {
  EngineSettings s;
  s.microscope.convergence_mrad = 30;
  s.detectors = {{"adf", DetectorKind::annular, 39.4, 65, 1},
                 {"disc", DetectorKind::annular, 0, 32, 1},
                 {"com", DetectorKind::com, 0, 0, 1}};
  s.grid.cell_x_px = s.grid.cell_y_px = cell_px;
  s.window_x_px = s.window_y_px = window_px;
  return s;
}

void add_atom(BeamAtoms& atoms, std::uint8_t z, const Vec3& r, float weight = 1) {
  atoms.atomic_number.push_back(z);
  atoms.position.push_back(r);
  atoms.weight.push_back(weight);
}

/// A small fluorite-like block about the origin.
BeamAtoms block() {
  BeamAtoms atoms;
  for (int k = -2; k <= 2; ++k)
    for (int j = -2; j <= 2; ++j)
      for (int i = -2; i <= 2; ++i)
        if ((i + j + k) % 2 == 0) add_atom(atoms, 40, Vec3(2.55 * i + 0.03, 2.55 * j - 0.02, 2.55 * k + 0.4));
  return atoms;
}

std::vector<Vec2> raster(int n, double step_A, const Vec2& start) {
  std::vector<Vec2> probes;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) probes.push_back(start + step_A * Vec2(i, j));
  return probes;
}

Array<float, 2> run(TileEngine& engine, const BeamAtoms& atoms, const SliceGrid& slices,
                    const std::vector<Vec2>& probes, TileCost* cost = nullptr) {
  Array<float, 2> out({probes.size(), engine.channels().count});
  const TileCost c = engine.simulate(atoms, slices, probes, out);
  if (cost) *cost = c;
  return out;
}

bool same_bits(const Array<float, 2>& a, const Array<float, 2>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST(TileEngine, VacuumIsTheFreeProbeAtAnyPixelPhase) {
  for (const std::size_t window : {96, 128}) {
    TileEngine engine(settings_of(window));
    BeamAtoms far;
    add_atom(far, 40, Vec3(30, 0, 0));
    TileCost cost;
    const auto out =
        run(engine, far, SliceGrid::covering(-1, 1, 2), raster(4, 0.0331, Vec2(-0.02, 0.013)), &cost);
    EXPECT_EQ(cost.vacuum_probes, 16u);
    EXPECT_EQ(cost.wave_slices, 0u);
    for (std::size_t p = 0; p < 16; ++p) {
      EXPECT_NEAR(out(p, 0), 0, 1e-6);
      EXPECT_NEAR(out(p, 1), 1, 1e-6);
      EXPECT_NEAR(out(p, 2), 0, 1e-6);
      EXPECT_NEAR(out(p, 4), 1, 1e-6);
    }
  }
}

/// Atoms of almost no weight make the engine propagate through slices that transmit everything.
TEST(TileEngine, IntensityIsConservedOverFiftySlices) {
  for (const std::size_t cell : {std::size_t{0}, std::size_t{128}}) {
    TileEngine engine(settings_of(128, cell));
    BeamAtoms ghosts;
    for (int s = 0; s < 50; ++s) add_atom(ghosts, 1, Vec3(0.3, 0.2, 2 * s + 1), 1e-12f);
    TileCost cost;
    const auto out =
        run(engine, ghosts, SliceGrid::covering(0, 99, 2), {Vec2(0.011, 0.057), Vec2(0.3, 0)}, &cost);
    EXPECT_EQ(cost.wave_slices, 100u);
    for (std::size_t p = 0; p < 2; ++p) {
      EXPECT_NEAR(out(p, 0), 0, 1e-6);
      EXPECT_NEAR(out(p, 1), 1, 2e-6);
      EXPECT_NEAR(out(p, 4), 1, 1e-6);
    }
  }
}

TEST(TileEngine, SameTileTwiceGivesTheSameBits) {
  const auto atoms = block();
  const auto probes = raster(4, 0.34, Vec2(-1, -1));
  const auto slices = SliceGrid::covering(-6, 6, 2);
  TileEngine engine(settings_of(80)), other(settings_of(80));
  const auto first = run(engine, atoms, slices, probes);
  run(engine, atoms, SliceGrid::covering(-6, 6, 1.5), raster(3, 0.2, Vec2(1, 1)));  // another tile in between
  EXPECT_TRUE(same_bits(first, run(engine, atoms, slices, probes)));
  EXPECT_TRUE(same_bits(first, run(other, atoms, slices, probes)));
}

TEST(TileEngine, AtomsBeyondItsReachDoNotChangeABit) {
  auto atoms = block();
  const auto probes = raster(3, 0.34, Vec2(-0.4, -0.4));
  const auto slices = SliceGrid::covering(-8, 8, 2);
  TileEngine engine(settings_of(64));
  const auto without = run(engine, atoms, slices, probes);
  const double beyond = engine.reach_A() + 0.4;
  add_atom(atoms, 40, Vec3(beyond, 0, 0));
  add_atom(atoms, 40, Vec3(0, -beyond, 3));
  EXPECT_TRUE(same_bits(without, run(engine, atoms, slices, probes)));
}

/// What a probe's rings beyond its window do is added: an atom outside gives what it gives on the whole
/// cell, on average over the rings.
TEST(TileEngine, AtomsBeyondTheWindowAreSeenByTheRings) {
  auto whole_settings = settings_of(400, 400);
  whole_settings.grid.corner_A = Vec2(-20, -20);
  auto window_settings = settings_of(64);
  window_settings.probe_cell_A = 40;
  TileEngine whole(whole_settings), window(window_settings);

  BeamAtoms atom;
  add_atom(atom, 40, Vec3(8, 1, 0.5));
  const auto around = raster(6, 0.27, Vec2(-0.7, -0.7));
  double seen = 0, truth = 0;
  const auto by_window = run(window, atom, SliceGrid::covering(0, 1, 2), around);
  const auto by_whole = run(whole, atom, SliceGrid::covering(0, 1, 2), around);
  for (std::size_t p = 0; p < around.size(); ++p) {
    seen += static_cast<double>(by_window(p, 0));
    truth += static_cast<double>(by_whole(p, 0));
  }
  EXPECT_GT(truth, 0);
  EXPECT_NEAR(seen / truth, 1, 0.2);
}

/// Aliasing of exp(i sigma v) on the grid itself changes a zirconium atom's signal by 3 % with its place in a
/// pixel of 0.1 Å, as in the references' scheme; taken on a grid twice as fine it does not.
TEST(TileEngine, OneAtomScattersAlikeAtAnySubPixelOffset) {
  const auto summed_adf = [](std::size_t oversampling, double offset_px) {
    auto settings = settings_of(128);
    settings.multislice.phase_oversampling = oversampling;
    TileEngine engine(settings);
    BeamAtoms atom;
    add_atom(atom, 40, Vec3(0.1 * offset_px, 0.1 * offset_px, 0.5));
    const auto out = run(engine, atom, SliceGrid::covering(0, 1, 2), raster(15, 0.2, Vec2(-1.4, -1.4)));
    double sum = 0;
    for (std::size_t p = 0; p < out.extent(0); ++p) sum += static_cast<double>(out(p, 0));
    return sum;
  };
  const double fine = summed_adf(2, 0), plain = summed_adf(1, 0);
  EXPECT_NEAR(summed_adf(2, 0.25) / fine, 1, 5e-3);
  EXPECT_NEAR(summed_adf(2, 0.5) / fine, 1, 5e-3);
  EXPECT_NEAR(summed_adf(1, 0.5) / plain, 1, 4e-2);
  EXPECT_NEAR(plain / fine, 1, 2e-2);
}

TEST(TileEngine, ShiftOfSpecimenAndProbesByPixelsOrSlicesChangesNothing) {
  const auto atoms = block();
  const auto probes = raster(3, 0.34, Vec2(-0.4, -0.4));
  auto settings = settings_of(80);
  settings.microscope.focus_reference = FocusReference::entrance;
  TileEngine engine(settings);
  const auto here = run(engine, atoms, SliceGrid::covering(-6, 6, 2), probes);
  auto moved_atoms = atoms;
  for (auto& r : moved_atoms.position) r += Vec3(1.5, -0.7, 4);
  auto moved_probes = probes;
  for (auto& p : moved_probes) p += Vec2(1.5, -0.7);
  const auto there = run(engine, moved_atoms, SliceGrid::covering(-2, 10, 2), moved_probes);
  for (std::size_t p = 0; p < here.extent(0); ++p) {
    EXPECT_NEAR(there(p, 0), here(p, 0), 1e-5f * here(p, 0));
    EXPECT_NEAR(there(p, 4), here(p, 4), 1e-5f);
  }
}

/// The centre of the specimen in focus is the entrance face with underfocus of its depth.
TEST(TileEngine, FocusReferencesDifferByTheDepth) {
  const auto atoms = block();
  const auto probes = raster(3, 0.5, Vec2(-0.5, -0.5));
  const auto slices = SliceGrid::covering(-6, 6, 2);
  auto centre = settings_of(80);
  auto entrance = centre;
  entrance.microscope.focus_reference = FocusReference::entrance;
  entrance.microscope.defocus_A = 6;
  TileEngine a(centre), b(entrance);
  // The waves are the same; planes of the probe's tails are counted from another one.
  const auto one = run(a, atoms, slices, probes), other = run(b, atoms, slices, probes);
  for (std::size_t p = 0; p < one.extent(0); ++p) EXPECT_NEAR(one(p, 0), other(p, 0), 1e-3f * one(p, 0)) << p;
}

/// An atom after the reference plane is in focus with underfocus, one before it with overfocus.
TEST(TileEngine, UnderfocusMovesTheCrossoverAlongTheBeam) {
  const auto peak = [](double atom_z_A, double defocus_A) {
    auto settings = settings_of(128);
    settings.microscope.defocus_A = defocus_A;
    TileEngine engine(settings);
    BeamAtoms atom;
    add_atom(atom, 40, Vec3(0, 0, atom_z_A));
    return run(engine, atom, SliceGrid::covering(-60, 60, 2), {Vec2(0, 0)})(0, 0);
  };
  EXPECT_GT(peak(50, 50), 1.5f * peak(50, -50));
  EXPECT_GT(peak(-50, -50), 1.5f * peak(-50, 50));
}

TEST(TileEngine, WindowsSeeAtomsAcrossAPeriodicBoundary) {
  BeamAtoms atoms;
  add_atom(atoms, 40, Vec3(19.9, 0.2, 1));  // cell of 20 Å with pixel (0, 0) at the origin
  TileEngine periodic(settings_of(80, 200)), whole(settings_of(200, 200));
  const auto slices = SliceGrid::covering(0, 1, 2);
  const std::vector<Vec2> probes{Vec2(0.05, 19.95), Vec2(19.9, 0.2)};
  const auto window = run(periodic, atoms, slices, probes), reference = run(whole, atoms, slices, probes);
  for (std::size_t p = 0; p < 2; ++p) {
    EXPECT_GT(reference(p, 0), 1e-4f);
    EXPECT_NEAR(window(p, 0) / reference(p, 0), 1, 0.02);
  }
}

TEST(TileEngine, AxesCanDifferInKind) {
  const auto atoms = block();
  auto mixed = settings_of(128, 160);
  mixed.grid.cell_y_px = 0;
  mixed.window_x_px = 160;
  mixed.grid.corner_A = Vec2(-8, -8);
  auto whole = settings_of(320, 320);
  whole.grid.corner_A = Vec2(-16, -16);
  TileEngine a(mixed), b(whole);
  const auto probes = raster(2, 1.3, Vec2(-0.6, -0.6));
  const auto slices = SliceGrid::covering(-6, 6, 2);
  const auto ours = run(a, atoms, slices, probes), reference = run(b, atoms, slices, probes);
  for (std::size_t p = 0; p < probes.size(); ++p) EXPECT_NEAR(ours(p, 0) / reference(p, 0), 1, 0.02);
}

TEST(TileEngine, WeightScalesThePotential) {
  BeamAtoms one, halves;
  add_atom(one, 40, Vec3(0, 0, 0.5));
  add_atom(halves, 40, Vec3(0, 0, 0.5), 0.5f);
  add_atom(halves, 40, Vec3(0, 0, 0.5), 0.5f);
  TileEngine engine(settings_of(64));
  const auto slices = SliceGrid::covering(0, 1, 2);
  const auto a = run(engine, one, slices, {Vec2(0, 0)}), b = run(engine, halves, slices, {Vec2(0, 0)});
  EXPECT_NEAR(a(0, 0), b(0, 0), 1e-6f * a(0, 0));
}

TEST(TileEngine, RefusesWhatItCannotDo) {
  EXPECT_THROW(TileEngine{settings_of(128, 96)}, InputError);
  EXPECT_THROW(TileEngine{settings_of(4)}, InputError);
}

}  // namespace
}  // namespace aetos::multislice
