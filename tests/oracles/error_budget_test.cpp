#include "aetos/simulation/error_budget.hpp"

#include <gtest/gtest.h>

#include <cstdio>

#include "aetos/io/structure_files.hpp"
#include "multislice_reference.hpp"
#include "support/simulation_case.hpp"

/// What the error budget says of a sampling, and how far the engine's images with it really are from the
/// converged answer of an independent numpy multislice at 0.025 Å.
namespace aetos::test {
namespace {

/// The engine's distance to the converged answer over every second reference probe, 39-60 mrad.
double true_error(const CsvTable& converged, std::size_t cell_px) {
  auto settings = reference_settings(40, cell_px);
  settings.detectors = {{"adf", multislice::DetectorKind::annular, 39, 60, 1}};
  multislice::TileEngine engine(settings);
  std::vector<Vec2> probes;
  std::vector<double> ours, theirs;
  for (std::size_t row = 0; row < converged.rows(); row += 2) {
    probes.emplace_back(converged["x_A"][row], converged["y_A"][row]);
    theirs.push_back(converged["39_60"][row]);
  }
  Array<float, 2> values({probes.size(), engine.channels().count});
  engine.simulate(read_beam_atoms(shared_data("multislice/small-particle.extxyz")), {2, 0, 20}, probes,
                  values);
  for (std::size_t p = 0; p < probes.size(); ++p) ours.push_back(static_cast<double>(values(p, 0)));
  return relative_rms(ours, theirs);
}

TEST(ErrorBudget, PredictsTheDistanceToTheConvergedAnswerWithinAFactorOfTwo) {
  AETOS_NEEDS_SHARED("multislice/small-particle.extxyz");
  const CsvTable converged(source_dir() / "tests/data/multislice_small_particle_1600.csv");
  const Communicator alone(MPI_COMM_SELF);
  SimulationCase c({});
  c.specimen = io::read_structure((source_dir() / "configs/specimens/small.extxyz").string());
  c.microscope.convergence_mrad = 30;
  c.microscope.focus_reference = multislice::FocusReference::entrance;
  c.detectors = {{.name = "adf", .inner_mrad = 39, .outer_mrad = 60}};
  c.scan.pixel_A = 0.3434;
  c.multislice.window = multislice::WindowWidth{12.8};
  const Stop stop;
  for (const std::size_t cell_px : {400, 800, 1200}) {
    c.multislice.sampling_A = 40 / static_cast<double>(cell_px);
    const auto request = c.request();
    const auto plan = simulation::make_plan(request);
    simulation::Trials trials(alone, stop, request, plan, 6);
    const double predicted = simulation::sampling_errors(trials, trials.signals(trials.own()))[0];
    const double error = true_error(converged, cell_px);
    std::printf("    %.4f Å: error %.2e, predicted %.2e\n", c.multislice.sampling_A, error, predicted);
    EXPECT_LT(predicted, 2 * error);
    EXPECT_GT(predicted, error / 2);
  }
}

}  // namespace
}  // namespace aetos::test
