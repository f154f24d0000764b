#include <gtest/gtest.h>

#include <mpi.h>

#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "reconstruction/series_on_disk.hpp"
#include "support/temporary_folder.hpp"

/// What judges a volume, and the rules that end a run: held-out projections, Fourier shell correlation, small
/// changes. Films.
namespace aetos {
namespace {

using namespace test;
using reconstruction::Request;

class JudgesTest : public ::testing::Test {
 protected:
  JudgesTest() : comm_(MPI_COMM_SELF), request_(quick_request(folder_ / "series.h5")) {
    for (double theta = -60; theta <= 60; theta += 8) angles_.push_back({0, theta, 0});
    images_ = spots(angles_, 12, 24);
    request_.options.projector = tomography::Projector::real_space;
    request_.options.iterations = 30;
  }
  void add_noise(float amplitude) {
    for (std::size_t i = 0; i < images_.size(); ++i)
      images_.data()[i] +=
          amplitude * static_cast<float>(random::uniform4(3, random::Domain::test, {1, 0, i})[0] - 0.5);
  }
  nlohmann::json run(const std::string& name) {
    write_series(comm_, folder_ / "series.h5", angles_, images_);
    return run_driver(comm_, folder_ / name, request_);
  }

  Communicator comm_;
  TemporaryFolder folder_;
  Request request_;
  std::vector<EulerAngles> angles_;
  Array<float, 3> images_;
};

TEST_F(JudgesTest, HeldOutProjectionsDoNotShapeTheVolume) {
  request_.options.held_out = {3, 9};
  const auto summary = run("held");
  EXPECT_EQ(summary["projections"], 14);
  EXPECT_LT(summary["r_free"].get<double>(), 0.5);
  EXPECT_GT(summary["r_free"].get<double>(), summary["r_factor"].get<double>());
  request_.options.held_out = {};
  request_.exclude = {3, 9};
  run("excluded");
  EXPECT_TRUE(same_bits(read_whole_volume(folder_ / "held"), read_whole_volume(folder_ / "excluded")));
}

TEST_F(JudgesTest, StopsWhenHeldOutProjectionsGetWorse) {
  add_noise(60);
  request_.options.held_out = {3, 9};
  request_.options.patience = 3;
  request_.options.iterations = 300;
  const auto summary = run("patient");
  const auto history = summary["r_free_history"].get<std::vector<double>>();
  const auto best = std::min_element(history.begin(), history.end());
  EXPECT_LT(summary["iterations"].get<int>(), 300);
  EXPECT_EQ(history.end() - best, 4);
}

TEST_F(JudgesTest, StopsWhenTheVolumeHardlyChanges) {
  request_.options.relative_change = 0.05;
  const auto summary = run("settled");
  EXPECT_LT(summary["iterations"].get<int>(), 30);
  EXPECT_GT(summary["iterations"].get<int>(), 2);
}

TEST_F(JudgesTest, ShellCorrelationOfHalvesAndOfTheVolumeItself) {
  request_.options.fsc = true;
  const auto summary = run("first");
  const auto& halves = summary["fsc_half_sets"];
  EXPECT_GT(halves["correlation"][1].get<double>(), 0.9);
  EXPECT_LT(halves["correlation"].back().get<double>(), halves["correlation"][1].get<double>());
  request_.options.fsc = false;
  request_.options.truth = (folder_ / "first" / "volume.h5").string();
  const auto same = run("again");
  for (const auto& value : same["fsc_truth"]["correlation"]) EXPECT_NEAR(value.get<double>(), 1, 1e-6);
  for (const char* axis : {"x", "y", "z"})
    EXPECT_NEAR(same["fsc_truth"]["directions"][axis]["correlation"].back().get<double>(), 1, 1e-6);
  EXPECT_TRUE(same["fsc_truth"]["resolution_A_at_0.5"].is_null());
}

/// Tilts from -40 to 40 degrees leave a wide wedge about z: what is found there is worse than along the tilt
/// axis.
TEST_F(JudgesTest, ResolutionDependsOnTheDirection) {
  std::vector<EulerAngles> few;
  for (double theta = -40; theta <= 40; theta += 5) few.push_back({0, theta, 0});
  angles_.clear();
  for (double theta = -90; theta < 90; theta += 3) angles_.push_back({0, theta, 0});
  images_ = spots(angles_, 24, 24);
  run("truth");
  angles_ = few;
  images_ = spots(angles_, 24, 24);
  request_.options.truth = (folder_ / "truth" / "volume.h5").string();
  const auto curves = run("wedge")["fsc_truth"]["directions"];
  const auto mean = [&](const char* axis) {
    double sum = 0;
    for (std::size_t shell = 2; shell < 8; ++shell)
      sum += curves[axis]["correlation"][shell].get<double>() / 6;
    return sum;
  };
  EXPECT_GT(mean("y"), 0.85);
  EXPECT_GT(mean("x"), 0.85);
  EXPECT_LT(mean("z"), mean("y") - 0.1);
}

TEST_F(JudgesTest, EmptyShellsAreNull) {
  images_ = Array<float, 3>({angles_.size(), 8, 8});
  request_.options.fsc = true;
  const auto summary = run("nothing");
  ASSERT_EQ(summary["fsc_half_sets"]["correlation"].size(), 5u);
  for (const auto& value : summary["fsc_half_sets"]["correlation"]) EXPECT_TRUE(value.is_null());
  EXPECT_TRUE(summary["fsc_half_sets"]["resolution_A_at_0.143"].is_null());
}

/// A slab that fills every view: in a volume no wider than the images its tilted views cannot be explained.
TEST_F(JudgesTest, FilmsReachBeyondTheImages) {
  const double depth = 8;
  for (std::size_t t = 0; t < angles_.size(); ++t) {
    const double tilt = angles_[t].theta_deg * M_PI / 180;
    for (std::size_t i = 0; i < images_.extent(1) * images_.extent(2); ++i)
      images_[t].data()[i] = static_cast<float>(depth / std::cos(tilt));
  }
  request_.options.volume_px = {{8, 12, 24}};
  request_.options.step = 1;
  const double narrow = run("narrow")["r_factor"];
  request_.options.film = true;
  const auto summary = run("film");
  EXPECT_EQ(summary["volume_px"], (std::vector<std::size_t>{8, 12, 24}));
  EXPECT_EQ(read_whole_volume(folder_ / "film").shape(), (Shape<3>{8, 12, 24}));
  EXPECT_LT(summary["r_factor"].get<double>(), narrow / 3);
  angles_[0].theta_deg = 89;
  EXPECT_THROW(run("along"), InputError);
}

}  // namespace
}  // namespace aetos
