#include "aetos/simulation/plan.hpp"

#include <gtest/gtest.h>

#include <set>

#include "aetos/core/error.hpp"
#include "aetos/simulation/series.hpp"
#include "aetos/simulation/tile_worker.hpp"
#include "aetos/simulation/window.hpp"
#include "aetos/simulation/work_items.hpp"
#include "support/simulation_case.hpp"

namespace aetos::simulation {
namespace {

using test::SimulationCase;

TEST(Plan, TurnsTheSpecimenAsTheSpecificationSays) {
  SimulationCase c({{1, 2, 3}});
  c.tilts = {{10, 20, 30}, {0, 30, 0}};
  const auto request = c.request();
  const auto plan = make_plan(request);
  const Vec3 turned = beam_atoms_at_rest(request, plan, 0).position[0];
  EXPECT_NEAR(turned.x(), 0.225708, 1e-6);
  EXPECT_NEAR(turned.y(), 3.192695, 1e-6);
  EXPECT_NEAR(turned.z(), 1.937976, 1e-6);
}

TEST(Plan, DisplacementsAreInSpecimenAxesAndDifferByTilt) {
  SimulationCase c({{1, 2, 3}, {4, 0, 0}});
  c.specimen_options.thermal.rms_displacement_A = 0.1;
  c.specimen_options.thermal.frozen_phonons = 2;
  c.tilts = {{0, 0, 0}, {0, 90, 0}};
  const auto request = c.request();
  const auto plan = make_plan(request);
  const Vec3 u = plan.thermal.displacement(7, 1, 1, 1);
  const Vec3 expected = plan.rotation[1].transpose() * (Vec3(4, 0, 0) + u);
  EXPECT_LT((beam_atoms(request, plan, 1, 1).position[1] - expected).norm(), 1e-12);
  EXPECT_NE(plan.thermal.displacement(7, 0, 1, 1), u);
}

TEST(Plan, PeriodicCellsAreSampledInWholePixels) {
  SimulationCase c({{0, 0, 0}});
  c.specimen.cell = Cell{Vec3(40, 20.36, 30).asDiagonal(), {true, true, true}};
  c.multislice.sampling_A = 0.1;
  auto plan = make_plan(c.request());
  EXPECT_EQ(plan.grid.cell_x_px, 400u);
  EXPECT_DOUBLE_EQ(plan.grid.sampling_x_A, 0.1);
  EXPECT_EQ(plan.grid.cell_y_px, 216u);  // 203.6 pixels, up to a size that transforms fast
  EXPECT_DOUBLE_EQ(plan.grid.sampling_y_A, 20.36 / 216);
  EXPECT_EQ(full_window(plan).px, (std::array<std::size_t, 2>{216, 400}));
  EXPECT_EQ(window_of_width(plan, 25).px[0], 216u);  // never wider than the period
  c.tilts.push_back({0, 5, 0});
  plan = make_plan(c.request());
  EXPECT_EQ(plan.grid.cell_x_px, 0u);
  ASSERT_FALSE(plan.warnings.empty());
  EXPECT_NE(plan.warnings[0].find("finite particle"), std::string::npos);
}

TEST(Plan, WindowsAreFastAndFineEnough) {
  SimulationCase c({{0, 0, 0}});
  c.multislice.sampling_A = 0.1;
  const auto plan = make_plan(c.request());
  EXPECT_EQ(window_of_width(plan, 12.8).px[0], 128u);
  EXPECT_EQ(window_of_width(plan, 13).px[0], 144u);
  EXPECT_EQ(window_of_width(plan, 200).px[0], 2000u);
  const auto full = full_window(plan);
  EXPECT_TRUE(full.whole);
  EXPECT_GE(static_cast<double>(full.px[0]) * 0.1, 24.0);
  EXPECT_THROW(window_of_width(plan, 0), InputError);
}

TEST(Plan, CoarseDiffractionPixelsAreWarnedOf) {
  SimulationCase c({{0, 0, 0}});
  c.microscope.convergence_mrad = 1;
  c.multislice.window = multislice::WindowWidth{12.8};
  const auto warnings = estimate(c.request(), 1).warnings;
  bool named = false;
  for (const auto& w : warnings) named |= w.find("99 Å or more") != std::string::npos;
  EXPECT_TRUE(named) << warnings.size();
  c.multislice.window = multislice::WindowTolerance{0.005};
  EXPECT_GE(static_cast<double>(estimate(c.request(), 1).window_px[0]) * 0.15, 98.0);
}

TEST(Plan, ItemsHaveTheirKeys) {
  for (const WorkItem item : {WorkItem{0, 0, 0}, WorkItem{49, 3, 4000}, WorkItem{65535, 65535, 0xffffffff}})
    EXPECT_EQ(item_of(key_of(item)), item);
  SimulationCase c({{0, 0, 0}});
  c.tilts = {{}, {0, 10, 0}};
  const auto plan = make_plan(c.request());
  const auto items = all_items(plan);
  EXPECT_EQ(items.size(), 2 * plan.tiles.size());
  for (std::size_t i = 1; i < items.size(); ++i) EXPECT_LT(key_of(items[i - 1]), key_of(items[i]));
}

TEST(Plan, TilesOverVacuumCostLittle) {
  SimulationCase c({{0, 0, 0}, {0, 0, 4}});
  c.scan.field_A = {{40, 40}};
  const auto request = c.request();
  const auto plan = make_plan(request);
  const auto work = tile_work(request, plan, window_of_width(plan, 9.6), 0);
  ASSERT_EQ(work.size(), plan.tiles.size());
  EXPECT_EQ(work.front().wave_slices, 0);
  EXPECT_GT(work.front().cost, 0);
  double most = 0;
  for (const auto& w : work) most = std::max(most, w.wave_slices);
  EXPECT_EQ(most, 2 * static_cast<double>(plan.tiles[0].probes()));
}

TEST(Plan, AtomsWithinReachAreFoundInTheirOrder) {
  multislice::BeamAtoms atoms;
  for (double x : {9., -9., 1., 0., 19.5}) {
    atoms.position.emplace_back(x, x / 10, 0);
    atoms.atomic_number.push_back(40);
    atoms.weight.push_back(1);
  }
  const std::vector<Vec2> probes{{-1, 0}, {2, 0}};
  const auto near = AtomFinder(atoms, {0, 0}).near(probes, 2);
  ASSERT_EQ(near.size(), 2u);
  EXPECT_EQ(near.position[0].x(), 1);
  EXPECT_EQ(near.position[1].x(), 0);
  EXPECT_EQ(AtomFinder(atoms, {20, 0}).near(probes, 2).size(), 3u);  // 19.5 is -0.5 of the next cell
  EXPECT_EQ(AtomFinder(atoms, {20, 20}).near(probes, 2).size(), 3u);
  EXPECT_EQ(AtomFinder(atoms, {0, 0}).near(probes, 1e300).size(), 5u);
}

TEST(Plan, NoImageNameBeginsAnother) {
  SimulationCase c({{0, 0, 0}});
  c.detectors = {
      {.name = "bf", .outer_mrad = 20},
      {.name = "bf2", .outer_mrad = 10},
      {.name = "rings", .kind = multislice::DetectorKind::radial, .outer_mrad = 30, .step_mrad = 2},
      {.name = "dpc", .kind = multislice::DetectorKind::com}};
  const auto plan = make_plan(c.request());
  const auto signals = signals_of(plan);
  ASSERT_EQ(signals.size(), 2 + 15 + 2u);
  EXPECT_EQ(signals[2].name, "rings_ring_000");
  EXPECT_EQ(signals.back().name, "dpc_y");
  EXPECT_FALSE(signals.back().is_intensity());
  c.detectors = {{.name = "a", .outer_mrad = 20}, {.name = "a_clean", .outer_mrad = 10}};
  EXPECT_THROW(signals_of(make_plan(c.request())), InputError);
}

TEST(Plan, NoiseOfADetectorNeedsElectronsToCount) {
  SimulationCase c({{0, 0, 0}});
  c.detectors[0].read_noise_electrons = 1;
  EXPECT_THROW(make_plan(c.request()), InputError);
  c.microscope.dose_e_per_A2 = 1e4;
  EXPECT_NO_THROW(make_plan(c.request()));
  c.detectors.push_back({.name = "dpc", .kind = multislice::DetectorKind::com, .gain_sd = 0.2});
  EXPECT_THROW(make_plan(c.request()), InputError);
}

TEST(Plan, FewFociAreWarnedOf) {
  SimulationCase c({{0, 0, 0}});
  const auto warned = [&c](const char* words) {
    const auto warnings = make_plan(c.request()).warnings;
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const auto& w) { return w.find(words) != std::string::npos; });
  };
  c.microscope.focal_spread_A = 30;
  EXPECT_FALSE(warned("foci"));
  c.microscope.focal_points = 3;
  EXPECT_TRUE(warned("and 3 are simulated"));
  c.microscope.focal_points.reset();
  c.microscope.focal_spread_A = 150;  // 20 mrad: as 67 Å at 30 mrad
  EXPECT_TRUE(warned("and 41 are simulated; microscope.focal_points: "));
  c.microscope.focal_spread_A = 1000;
  EXPECT_TRUE(warned("more than the 99"));
}

TEST(Estimate, KnowsTheWindowsThatTheChoiceTries) {
  SimulationCase c({{0, 0, 0}, {30, 0, 0}, {0, 30, 0}});
  c.scan.field_A = {{60, 60}};
  c.multislice.window = multislice::WindowTolerance{0.005};
  const auto request = c.request();
  const auto plan = make_plan(request);
  const auto chosen = window_of_width(plan, 12.8);
  const auto tried = windows_tried(request, plan, chosen);
  ASSERT_GE(tried.size(), 3u);
  EXPECT_GE(window_width_A(plan, tried.front()), 38.4);
  for (std::size_t i = 2; i < tried.size(); ++i) EXPECT_GT(tried[i].px[0], tried[i - 1].px[0]);
  EXPECT_GE(tried.back().px[0], chosen.px[0]);
  EXPECT_LT(tried[tried.size() - 2].px[0], chosen.px[0]);
  c.multislice.window = multislice::WindowWidth{12.8};
  EXPECT_TRUE(windows_tried(c.request(), plan, chosen).empty());
}

TEST(Estimate, SaysWhatARunCosts) {
  SimulationCase c({{0, 0, 0}, {3, 0, 0}});
  c.specimen_options.thermal.debye_waller_B_A2 = 0.3;
  c.specimen_options.thermal.frozen_phonons = 4;
  const auto e = estimate(c.request(), 2);
  EXPECT_EQ(e.phonons, 4u);
  EXPECT_EQ(e.image_nx, 36u);
  EXPECT_EQ(e.probes, 36u * 36u);
  EXPECT_EQ(e.window_px[0], 64u);
  EXPECT_GT(e.core_seconds, 0);
  EXPECT_GT(e.memory_per_rank_MiB, 10);
  EXPECT_GE(e.bytes_written, 36 * 36 * 4 * 5.);
  EXPECT_NEAR(e.angle_limit_mrad, 43.75, 0.05);
  bool thermal = false;
  for (const auto& note : e.notes) thermal |= note.find("0.0616") != std::string::npos;
  EXPECT_TRUE(thermal);
}

}  // namespace
}  // namespace aetos::simulation
