#include <gtest/gtest.h>

#include <cstdio>
#include <functional>

#include "aetos/io/structure_files.hpp"
#include "support/shared_data.hpp"
#include "support/simulation_case.hpp"
#include "support/temporary_folder.hpp"

/// What a run says of its window's error against the whole cell: three specimens, three tolerances.
namespace aetos::simulation {
namespace {

/// Atoms of a face-centred lattice within a sphere; `oxygen` fills its tetrahedral sites.
Structure sphere(double lattice_A, double radius_A, std::uint8_t metal, bool oxygen) {
  Structure s;
  const auto add = [&](std::uint8_t element, const Vec3& r) {
    if (r.norm() > radius_A) return;
    s.atomic_number.push_back(element);
    s.position.push_back(r);
  };
  const int n = static_cast<int>(radius_A / lattice_A) + 2;
  for (int k = -n; k <= n; ++k)
    for (int j = -n; j <= n; ++j)
      for (int i = -n; i <= n; ++i) {
        for (const Vec3& site : {Vec3(0, 0, 0), Vec3(0.5, 0.5, 0), Vec3(0.5, 0, 0.5), Vec3(0, 0.5, 0.5)})
          add(metal, lattice_A * (Vec3(i, j, k) + site));
        if (!oxygen) continue;
        for (int c = 0; c < 8; ++c)
          add(8, lattice_A *
                     (Vec3(i, j, k) + Vec3(c & 1 ? 0.75 : 0.25, c & 2 ? 0.75 : 0.25, c & 4 ? 0.75 : 0.25)));
      }
  return s;
}

std::vector<float> image_of(const test::SimulationCase& c, nlohmann::json& summary) {
  const test::TemporaryFolder folder;
  summary = test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  return test::read_images(folder.path(), "adf_clean");
}

TEST(Window, EstimateHoldsTheErrorAndIsNotThreeTimesAsLarge) {
  const std::pair<const char*, std::function<Structure()>> specimens[] = {
      {"core-shell",
       [] { return io::read_structure((test::source_dir() / "configs/specimens/small.extxyz").string()); }},
      {"gold", [] { return sphere(4.08, 9, 79, false); }},
      {"zirconia", [] { return sphere(5.09, 10, 40, true); }}};
  for (const auto& [name, build] : specimens) {
    test::SimulationCase c({});
    c.specimen = build();
    c.microscope.convergence_mrad = 25;
    c.detectors[0] = {.name = "adf", .inner_mrad = 30, .outer_mrad = 41};
    c.scan.pixel_A = 1.3;
    c.scan.field_A = {{18.2, 18.2}};
    c.tilts = {{0, 20, 0}};
    c.multislice.window = multislice::WindowFull{};
    nlohmann::json summary;
    const auto whole = image_of(c, summary);
    for (const double tolerance : {0.02, 0.01, 0.004}) {
      c.multislice.window = multislice::WindowTolerance{tolerance};
      const double error = test::relative_rms(image_of(c, summary), whole);
      const double estimate = summary.at("window_error_estimate");
      std::printf("    %-10s tolerance %.3f: %d px, error %.2e, estimated %.2e\n", name, tolerance,
                  summary.at("window_px").get<int>(), error, estimate);
      EXPECT_LE(error, tolerance);
      EXPECT_LE(error, estimate);
      EXPECT_LE(estimate, 3 * error);
    }
  }
}

}  // namespace
}  // namespace aetos::simulation
