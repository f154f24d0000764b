#include <gtest/gtest.h>

#include <algorithm>

#include <mpi.h>

#include <cmath>

#include "aetos/io/mat_file.hpp"
#include "reconstruction/series_on_disk.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

/// The driver on real files: the same published sample as resire_published_test, from MAT files to volume.h5;
/// and the experimental film whose angles are not those of a plain tilt series.
namespace aetos {
namespace {

using namespace test;

reconstruction::Request request_of(const std::string& data) {
  reconstruction::Request request;
  request.source = (shared_data(data) / "projections.mat").string();
  request.angles = io::read_angles((shared_data(data) / "angles.mat").string());
  request.pixel_A = 1;
  request.options.support = "none";
  return request;
}

TEST(ResireDriverTest, SampleFromFileToFile) {
  AETOS_NEEDS_SHARED("tomography/resire-sample");
  const Communicator comm(MPI_COMM_SELF);
  const TemporaryFolder folder;
  auto request = request_of("tomography/resire-sample");
  request.options.iterations = 100;
  request.options.oversampling = {3, 3, 3};
  const auto summary = run_driver(comm, folder / "run", request);

  const std::string published = (shared_data("tomography/resire-sample") / "published.mat").string();
  const Array<float, 3> u = read_whole_volume(folder / "run");
  const Array<float, 3> expected = io::read_volume_planes(published + ":reconstruction", {0, 64});
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < u.size(); ++i) {
    difference += std::pow(static_cast<double>(u.data()[i]) - expected.data()[i], 2);
    norm += std::pow(static_cast<double>(expected.data()[i]), 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 1e-5);

  const auto history = io::read_volume_info((folder / "run" / "volume.h5").string()).r_history;
  ASSERT_EQ(history.size(), 100u);
  const auto mat = io::mat::open(published);
  const auto variable = std::ranges::find(mat.variables, "R1_every_10", &io::mat::Variable::name);
  ASSERT_NE(variable, mat.variables.end());
  const auto r1 = io::mat::read_all(mat, *variable);
  ASSERT_EQ(r1.size(), 410u);
  for (std::size_t n = 0; n < 10; ++n) {
    double mean = 0;
    for (std::size_t p = 0; p < 41; ++p) mean += r1[n * 41 + p] / 41;
    EXPECT_NEAR(history[10 * n + 9], mean, 1e-6);
  }
  EXPECT_LT(summary["r_factor"].get<double>(), history.back());
}

TEST(ResireDriverTest, FilmWithOffAxisAngles) {
  AETOS_NEEDS_SHARED("tomography/ta-film-area5");
  const Communicator comm(MPI_COMM_SELF);
  const TemporaryFolder folder;
  auto request = request_of("tomography/ta-film-area5");
  // Few iterations on a smaller volume than the film needs: the path works, R falls.
  request.options.iterations = 3;
  request.options.step = 1;
  request.options.oversampling = {1.5, 1.5, 1};
  request.options.volume_px = {{61, 63, 271}};
  const auto summary = run_driver(comm, folder / "run", request);
  EXPECT_EQ(summary["projections"], 46);
  EXPECT_LT(summary["r_factor"].get<double>(), 0.4);
}

}  // namespace
}  // namespace aetos
