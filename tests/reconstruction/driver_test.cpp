#include <gtest/gtest.h>

#include <mpi.h>

#include <cmath>
#include <limits>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "reconstruction/series_on_disk.hpp"
#include "support/temporary_folder.hpp"

namespace aetos {
namespace {

using namespace test;
using reconstruction::Request;

class DriverTest : public ::testing::Test {
 protected:
  DriverTest() : comm_(MPI_COMM_SELF), source_(folder_ / "series.h5") {
    for (double theta = -60; theta <= 60; theta += 15) angles_.push_back({0, theta, 0});
    images_ = spots(angles_, 20, 24);
  }
  void write() { write_series(comm_, source_, angles_, images_); }
  nlohmann::json run(const Request& request, const std::string& name = "run") {
    return run_driver(comm_, folder_ / name, request);
  }
  Array<float, 3> volume(const std::string& name = "run") { return read_whole_volume(folder_ / name); }

  /// The place that an InputError names.
  std::string refusal(const Request& request) {
    try {
      run(request);
    } catch (const InputError& error) {
      message_ = error.what();
      return error.place();
    }
    return "not refused";
  }

  Communicator comm_;
  TemporaryFolder folder_;
  std::filesystem::path source_;
  std::vector<EulerAngles> angles_;
  Array<float, 3> images_;
  std::string message_;
};

TEST_F(DriverTest, WritesTheVolumeWithItsHistory) {
  write();
  const auto summary = run(quick_request(source_));
  const auto info = io::read_volume_info((folder_ / "run" / "volume.h5").string());
  EXPECT_EQ(info.shape, (std::array<std::size_t, 3>{24, 20, 24}));
  EXPECT_DOUBLE_EQ(*info.voxel_A, 0.5);
  ASSERT_EQ(info.r_history.size(), 12u);
  EXPECT_DOUBLE_EQ(info.r_history[0], 1);
  EXPECT_EQ(info.angles, angles_);
  EXPECT_EQ(summary["iterations"], 12);
  EXPECT_EQ(summary["passes"], 12);
  // r_factor is that of the volume written: one update after the last entry of the history.
  EXPECT_LT(summary["r_factor"].get<double>(), info.r_history.back());
  Request longer = quick_request(source_);
  longer.options.iterations = 13;
  run(longer, "longer");
  EXPECT_EQ(io::read_volume_info((folder_ / "longer" / "volume.h5").string()).r_history.back(),
            summary["r_factor"].get<double>());
}

TEST_F(DriverTest, FindsTheSpots) {
  write();
  Request request = quick_request(source_);
  request.options.iterations = 60;
  request.options.support = "auto";
  const auto summary = run(request);
  EXPECT_LT(summary["r_factor"].get<double>(), 0.1);
  EXPECT_LT(summary["support_share"].get<double>(), 0.8);
  const auto u = volume();
  // The spot at (x, y, z) = (-6, -3, 5) is the brightest thing about its place.
  EXPECT_GT(u(17, 7, 6), 3 * u(17, 7, 10));
  EXPECT_GT(u(17, 7, 6), 3 * u(7, 7, 6));
}

TEST_F(DriverTest, TiltAxisXGivesTheSameVolume) {
  write();
  Array<float, 3> turned({images_.extent(0), 24, 20});
  for (std::size_t t = 0; t < turned.extent(0); ++t)
    for (std::size_t y = 0; y < 24; ++y)
      for (std::size_t x = 0; x < 20; ++x) turned(t, y, x) = images_(t, x, y);
  write_series(comm_, folder_ / "turned.h5", angles_, turned);
  run(quick_request(source_), "reference");
  Request request = quick_request(folder_ / "turned.h5");
  request.options.tilt_axis = tomography::TiltAxis::x;
  run(request);
  EXPECT_TRUE(same_bits(volume(), volume("reference")));
}

TEST_F(DriverTest, ExcludedProjectionsAreAsIfAbsent) {
  auto angles = angles_;
  angles.erase(angles.begin() + 3);
  const Array<float, 3> fewer = spots(angles, 20, 24);
  write_series(comm_, folder_ / "fewer.h5", angles, fewer);
  images_(3, 5, 5) = std::numeric_limits<float>::quiet_NaN();  // a bad image is a reason to leave it out
  write();
  Request request = quick_request(source_);
  request.exclude = {3};
  EXPECT_EQ(run(request)["projections"], angles.size());
  run(quick_request(folder_ / "fewer.h5"), "fewer");
  EXPECT_TRUE(same_bits(volume(), volume("fewer")));
}

TEST_F(DriverTest, EmptyProjectionHasNoR) {
  for (float& value : images_[2]) value = 0;
  write();
  const auto summary = run(quick_request(source_));
  EXPECT_TRUE(summary["r_factor_per_projection"][2].is_null());
  ASSERT_TRUE(summary["r_factor"].is_number());
  EXPECT_LT(summary["r_factor"].get<double>(), 0.3);  // the lost image does not empty the support
  for (float& value : images_.flat()) value = 0;
  write_series(comm_, folder_ / "zero.h5", angles_, images_);
  const auto nothing = run(quick_request(folder_ / "zero.h5"), "zero");
  EXPECT_TRUE(nothing["r_factor"].is_null());
  const auto empty = volume("zero");
  for (float value : empty.flat()) ASSERT_EQ(value, 0);
}

TEST_F(DriverTest, RefusesWhatCannotBeReconstructed) {
  write();
  const auto refused = [&](auto change) {
    Request request = quick_request(source_);
    change(request);
    return refusal(request);
  };
  EXPECT_EQ(refused([](Request& r) { r.options.method = "steepest"; }), "reconstruct.method");
  EXPECT_EQ(refused([](Request& r) { r.options.held_out = {99}; }), "reconstruct.held_out");
  EXPECT_EQ(refused([](Request& r) { r.options.patience = 3; }), "reconstruct.patience");
  EXPECT_EQ(refused([](Request& r) { r.options.preconditioner = tomography::Preconditioner::ramp; }),
            "reconstruct.preconditioner");
  EXPECT_EQ(refused([](Request& r) {
              r.options.refine_angles = true;
              r.exclude = {0, 1, 2, 3, 4};
            }),
            "reconstruct.refine_angles");
  EXPECT_EQ(refused([](Request& r) {
              r.options.refine_angles = true;
              r.options.held_out = {3};
            }),
            "reconstruct.held_out");
  EXPECT_EQ(refused([](Request& r) { r.options.step = 4; }), "reconstruct.step");
  EXPECT_EQ(refused([](Request& r) { r.options.iterations = 0; }), "reconstruct.iterations");
  EXPECT_EQ(refused([](Request& r) { r.options.oversampling[0] = 0.5; }), "reconstruct.oversampling");
  EXPECT_EQ(refused([](Request& r) { r.options.volume_px = {{24, 21, 24}}; }), "reconstruct.volume_px");
  EXPECT_EQ(refused([](Request& r) { r.options.signal = "haadf"; }), "reconstruct.signal");
  EXPECT_EQ(refused([](Request& r) { r.exclude = {9}; }), "tilts.exclude");
  EXPECT_EQ(refused([](Request& r) { r.angles = {{0, 0, 0}}; }), source_.string());
  EXPECT_NE(message_.find("(9, 20, 24)"), std::string::npos) << message_;
  EXPECT_NE(message_.find("(tilt, y, x)"), std::string::npos) << message_;
  EXPECT_EQ(refused([&](Request& r) {
              r.angles = angles_;
              r.angles[1].theta_deg = std::nan("");
            }),
            "tilts");
  EXPECT_EQ(refused([&](Request& r) {
              r.options.projector = tomography::Projector::real_space;
              r.options.method = "bqnls";
              r.options.preconditioner = tomography::Preconditioner::ramp;
              r.angles = angles_;
              r.angles[1].psi_deg = 1;
            }),
            "reconstruct.preconditioner");
}

TEST_F(DriverTest, BadPixelsAreNamedOrReplaced) {
  run_driver(comm_, folder_ / "clean", [&] {
    write();
    return quick_request(source_);
  }());
  images_(4, 7, 9) = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < 3; ++i) images_(2 + i, 3 + 5 * i, 18) = 1e6F;
  write_series(comm_, folder_ / "bad.h5", angles_, images_);
  Request request = quick_request(folder_ / "bad.h5");
  EXPECT_EQ(refusal(request), request.source);
  EXPECT_NE(message_.find("projection 4 at pixel (y 7, x 9)"), std::string::npos) << message_;
  request.interpolate_bad_pixels = true;
  EXPECT_EQ(run(request)["interpolated_pixels"], 4);
  const auto mended = volume(), clean = volume("clean");
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    difference += std::pow(mended.data()[i] - clean.data()[i], 2);
    norm += std::pow(clean.data()[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 0.05);
}

TEST_F(DriverTest, PixelComesFromTheUserOrTheFileOrIsAskedFor) {
  write_series(comm_, source_, angles_, images_, "adf_clean", std::nullopt);
  Request request = quick_request(source_);
  EXPECT_EQ(refusal(request), source_.string());
  EXPECT_NE(message_.find("pixel"), std::string::npos);
  request.pixel_A = 0.7;
  EXPECT_DOUBLE_EQ(run(request)["voxel_A"].get<double>(), 0.7);
}

TEST_F(DriverTest, SupportFromAFileHoldsTheVolumeInside) {
  write();
  run(quick_request(source_), "mask");
  const auto mask = volume("mask");
  Request request = quick_request(source_);
  request.options.support = (folder_ / "mask" / "volume.h5").string();
  run(request);
  const auto u = volume();
  for (std::size_t i = 0; i < u.size(); ++i) {
    if (mask.data()[i] == 0) {
      ASSERT_EQ(u.data()[i], 0);
    }
  }
  request.options.volume_px = {{20, 20, 24}};
  EXPECT_EQ(refusal(request), "reconstruct.support");
}

TEST_F(DriverTest, MoreIterationsGoOnFromTheLastCheckpoint) {
  write();
  for (const char* method : {"resire", "resire-nesterov"}) {
    Request request = quick_request(source_);
    request.options.method = method;
    request.options.iterations = 20;
    const auto whole = run(request, std::string("whole-") + method);
    request.options.iterations = 8;
    run(request, std::string("part-") + method);
    request.options.iterations = 20;
    const auto resumed = run(request, std::string("part-") + method);
    EXPECT_EQ(resumed, whole);
    EXPECT_TRUE(same_bits(volume(std::string("part-") + method), volume(std::string("whole-") + method)));
  }
}

TEST_F(DriverTest, DamagedCheckpointsArePassedOver) {
  write();
  Request request = quick_request(source_);
  const auto whole = run(request, "whole");
  request.options.iterations = 5;
  run(request);
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "run" / "work"))
    if (entry.path().extension() == ".raw")
      std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) - 4);
  request.options.iterations = 12;
  EXPECT_EQ(run(request), whole);
}

TEST_F(DriverTest, EstimateKnowsSizesAndGrowsWithTheProblem) {
  write();
  Request request = quick_request(source_);
  const auto small = reconstruction::estimate(request, 1);
  EXPECT_EQ(small.projections, 9u);
  EXPECT_EQ(small.volume_px, (std::array<std::size_t, 3>{24, 20, 24}));
  EXPECT_GT(small.core_seconds, 0);
  request.options.oversampling = {4, 4, 4};
  request.options.volume_px = {{200, 20, 200}};
  const auto large = reconstruction::estimate(request, 1);
  EXPECT_GT(large.core_seconds, 10 * small.core_seconds);
  EXPECT_GT(large.memory_per_rank_MiB, small.memory_per_rank_MiB);
  EXPECT_GE(large.bytes_written, 4.0 * 200 * 20 * 200);
  EXPECT_FALSE(reconstruction::estimate(request, 64).warnings.empty());
}

}  // namespace
}  // namespace aetos
