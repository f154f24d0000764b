#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "aetos/atoms/specimen.hpp"
#include "aetos/io/structure_files.hpp"
#include "support/shared_data.hpp"
#include "support/simulation_case.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::simulation {
namespace {

/// One probe of the reference: place in its cell, centre of mass, and the 1-mrad rings.
struct ReferenceProbe {
  double x_A = 0, y_A = 0, com_x = 0, com_y = 0;
  std::vector<double> rings;
};

std::vector<ReferenceProbe> read_reference(const std::string& file) {
  std::ifstream in(test::shared_data("multislice/" + file));
  std::string line, cell;
  std::getline(in, line);
  std::vector<ReferenceProbe> probes;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    std::vector<double> v;
    while (std::getline(fields, cell, ',')) v.push_back(std::stod(cell));
    probes.push_back({v[2], v[3], v[5], v[6], {v.begin() + 7, v.end()}});
  }
  return probes;
}

/// abTEM's engine on an exact potential (data/multislice/README.md) against the whole way from an atom file
/// to images, on every fourth of its probes. Its beam is focused on z = 0 of the cell, 20 Å before ours.
void expect_published(const std::string& specimen, const std::string& reference) {
  test::SimulationCase c({});
  c.specimen = io::read_structure(test::shared_data("multislice/" + specimen).string());
  c.specimen_options.origin = atoms::Origin::cell_centre;
  atoms::place_origin(c.specimen, c.specimen_options.origin, specimen);
  c.microscope.convergence_mrad = 30;
  c.microscope.defocus_A = -20;
  c.detectors = {{.name = "adf", .inner_mrad = 39, .outer_mrad = 60},
                 {.name = "bf", .inner_mrad = 0, .outer_mrad = 10},
                 {.name = "dpc", .kind = multislice::DetectorKind::com}};
  c.scan.pixel_A = 4;
  c.scan.field_A = {{20, 20}};  // 12, 16, 20, 24 and 28 Å of the cell
  c.multislice.sampling_A = 0.1;
  c.multislice.window = multislice::WindowFull{};
  c.multislice.detector_edges = multislice::DetectorEdges::hard;
  const test::TemporaryFolder folder;
  const auto summary = test::run_simulation(c, Communicator(MPI_COMM_SELF), folder.path());
  EXPECT_EQ(summary.at("window_px"), 400);

  std::vector<float> adf(25), bf(25), com_x(25), com_y(25);
  for (const auto& probe : read_reference(reference)) {
    const double ix = (probe.x_A - 12) / 4, iy = (probe.y_A - 12) / 4;
    if (ix != std::round(ix) || iy != std::round(iy) || ix < 0 || ix > 4 || iy < 0 || iy > 4) continue;
    const auto pixel = static_cast<std::size_t>(5 * iy + ix);  // images are (y, x)
    double rings[2] = {0, 0};
    for (std::size_t r = 39; r < 60; ++r) rings[0] += probe.rings[r];
    for (std::size_t r = 0; r < 10; ++r) rings[1] += probe.rings[r];
    adf[pixel] = static_cast<float>(rings[0]);
    bf[pixel] = static_cast<float>(rings[1]);
    com_x[pixel] = static_cast<float>(probe.com_x);
    com_y[pixel] = static_cast<float>(probe.com_y);
  }
  EXPECT_LT(test::relative_rms(test::read_images(folder.path(), "adf_clean"), adf), 2e-4);
  EXPECT_LT(test::relative_rms(test::read_images(folder.path(), "bf_clean"), bf), 2e-4);
  EXPECT_LT(test::relative_rms(test::read_images(folder.path(), "dpc_x_clean"), com_x), 1e-3);
  EXPECT_LT(test::relative_rms(test::read_images(folder.path(), "dpc_y_clean"), com_y), 1e-3);
  std::printf("ADF 39-60 mrad against abTEM: relative RMS %.2e\n",
              test::relative_rms(test::read_images(folder.path(), "adf_clean"), adf));
}

TEST(PublishedSeries, SmallParticle) {
  AETOS_NEEDS_SHARED("multislice/small-particle-kirkland-400-exact.csv");
  expect_published("small-particle.extxyz", "small-particle-kirkland-400-exact.csv");
}

TEST(PublishedSeries, TiltedParticle) {
  AETOS_NEEDS_SHARED("multislice/small-particle-tilted-kirkland-400-exact.csv");
  expect_published("small-particle-tilted.extxyz", "small-particle-tilted-kirkland-400-exact.csv");
}

}  // namespace
}  // namespace aetos::simulation
