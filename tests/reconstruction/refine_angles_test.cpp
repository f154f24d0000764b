#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <numbers>

#include "aetos/core/error.hpp"
#include "aetos/core/random.hpp"
#include "aetos/tomography/pose.hpp"
#include "series_on_disk.hpp"
#include "support/temporary_folder.hpp"

namespace aetos {
namespace {

using namespace test;
using tomography::Pose;

constexpr std::size_t kSize = 36;
constexpr double kDegreesPerRadian = 180 / std::numbers::pi;

/// Projections of Gaussian atoms in a ball, from these poses: what no projector of ours made.
Array<float, 3> views(const std::vector<Pose>& poses) {
  Array<float, 3> images({poses.size(), kSize, kSize});
  for (std::size_t p = 0; p < poses.size(); ++p) {
    const Mat3 rotation = rotation_matrix(poses[p].angles);
    for (std::uint32_t a = 0; a < 60; ++a) {
      const auto n = random::normal4(1, random::Domain::test, {a, 0, 0});
      const Vec3 direction = Vec3(n[0], n[1], n[2]).normalized();
      const Vec3 seen = to_beam_frame(
          rotation, direction * 12 * std::cbrt(random::uniform4(2, random::Domain::test, {a, 0, 0})[0]));
      for (std::size_t y = 0; y < kSize; ++y)
        for (std::size_t x = 0; x < kSize; ++x) {
          const double du =
              static_cast<double>(x) - static_cast<double>(kSize / 2) - seen.x() - poses[p].shift_u;
          const double dv =
              static_cast<double>(y) - static_cast<double>(kSize / 2) - seen.y() - poses[p].shift_v;
          images(p, y, x) += static_cast<float>(100 * std::exp(-(du * du + dv * dv) / 3));
        }
    }
  }
  return images;
}

class RefineAnglesTest : public testing::Test {
 protected:
  RefineAnglesTest() {
    for (double theta = -70; theta <= 70; theta += 5) nominal_.push_back({0, theta, 0});
  }
  /// Poses off the nominal ones by errors of these sizes (rms per axis).
  std::vector<Pose> taken(double degrees, double pixels) const {
    std::vector<Pose> poses;
    for (std::size_t p = 0; p < nominal_.size(); ++p) {
      const auto a = random::normal4(3, random::Domain::test, {1, 0, p});
      const auto b = random::normal4(3, random::Domain::test, {2, 0, p});
      poses.push_back({{degrees * a[0], nominal_[p].theta_deg + degrees * a[1], degrees * a[2]},
                       pixels * a[3],
                       pixels * b[0]});
    }
    return poses;
  }
  reconstruction::Request request() const {
    auto request = quick_request(folder_ / "series.h5");
    request.options.refine_angles = true;
    request.options.projector = tomography::Projector::real_space;
    request.options.method = "resire-nesterov";
    return request;
  }
  std::vector<Pose> refined(const std::filesystem::path& run) const {
    std::ifstream table(run / "refined_angles.csv");
    std::string line;
    std::getline(table, line);
    std::vector<Pose> poses;
    while (std::getline(table, line)) {
      Pose p;
      std::size_t number = 0;
      EXPECT_EQ(std::sscanf(line.c_str(), "%zu,%lf,%lf,%lf,%lf,%lf", &number, &p.angles.phi_deg,
                            &p.angles.theta_deg, &p.angles.psi_deg, &p.shift_v, &p.shift_u),
                6);
      poses.push_back(p);
    }
    return poses;
  }
  /// Errors of the poses that were found, rms per axis: degrees, pixels. What no projection tells is taken
  /// away.
  std::pair<double, double> errors(const std::vector<Pose>& truth, std::vector<Pose> found) const {
    std::vector<EulerAngles> angles;
    for (std::size_t p = 0; p < truth.size(); ++p) {
      angles.push_back(truth[p].angles);
      found[p].shift_u += truth[p].shift_u;
      found[p].shift_v += truth[p].shift_v;
    }
    tomography::fix_gauge(angles, found);
    double turn = 0, shift = 0;
    for (std::size_t p = 0; p < truth.size(); ++p) {
      const auto step = tomography::step_between({angles[p], 0, 0}, found[p]);
      turn += (step[0] * step[0] + step[1] * step[1] + step[2] * step[2]) / 3;
      shift += (step[3] * step[3] + step[4] * step[4]) / 2;
    }
    const auto count = static_cast<double>(truth.size());
    return {std::sqrt(turn / count) * kDegreesPerRadian, std::sqrt(shift / count)};
  }

  TemporaryFolder folder_;
  std::vector<EulerAngles> nominal_;
  Communicator comm_{MPI_COMM_SELF};
};

TEST_F(RefineAnglesTest, FindsAnglesAndShiftsAgain) {
  const auto truth = taken(1, 1);
  write_series(comm_, folder_ / "series.h5", nominal_, views(truth));
  const auto summary = run_driver(comm_, folder_ / "run", request());
  const auto [degrees, pixels] = errors(truth, refined(folder_ / "run"));
  std::printf("errors left: %.4f degrees, %.4f pixels per axis, after %d rounds\n", degrees, pixels,
              summary["refine_angles"]["rounds"].get<int>());
  EXPECT_LT(degrees, 0.15);
  EXPECT_LT(pixels, 0.02);

  auto plain = request();
  plain.options.refine_angles = false;
  const auto before = run_driver(comm_, folder_ / "plain", plain);
  EXPECT_LT(summary["r_factor"].get<double>(), 0.5 * before["r_factor"].get<double>());

  // The series that is written is the one that was reconstructed from.
  const auto info = io::read_tilt_series_info((folder_ / "run" / "tilt_series_refined.h5").string());
  const auto found = refined(folder_ / "run");
  ASSERT_EQ(info.angles.size(), found.size());
  for (std::size_t p = 0; p < found.size(); ++p)
    EXPECT_NEAR(info.angles[p].theta_deg, found[p].angles.theta_deg, 1e-4);
  auto again = plain;
  again.source = (folder_ / "run" / "tilt_series_refined.h5").string();
  const auto from_written = run_driver(comm_, folder_ / "again", again);
  EXPECT_NEAR(from_written["r_factor"].get<double>(), summary["r_factor"].get<double>(), 1e-5);
}

TEST_F(RefineAnglesTest, ExactAnglesStay) {
  const auto truth = taken(0, 0);
  auto images = views(truth);
  for (std::size_t i = 0; i < images.size(); ++i)
    images.data()[i] += static_cast<float>(5 * random::normal4(9, random::Domain::test, {0, 1, i})[0]);
  write_series(comm_, folder_ / "series.h5", nominal_, images);
  run_driver(comm_, folder_ / "run", request());
  const auto found = refined(folder_ / "run");
  for (std::size_t p = 0; p < found.size(); ++p) {
    const auto step = tomography::step_between({nominal_[p], 0, 0}, found[p]);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_LT(std::abs(step[i]) * kDegreesPerRadian, 0.05) << p;
    for (std::size_t i = 3; i < 5; ++i) EXPECT_LT(std::abs(step[i]), 0.05) << p;
  }
}

TEST_F(RefineAnglesTest, GoesOnAfterAStopWithTheSameBits) {
  write_series(comm_, folder_ / "series.h5", nominal_, views(taken(1, 1)));
  auto short_run = request();
  short_run.options.refine_rounds = 3;
  run_driver(comm_, folder_ / "whole", short_run);
  Stop stop;
  bool finished = false;
  int stops = 0;
  stop.set_time_limit(std::chrono::duration<double>(0));  // over before it begins: one pass an attempt
  for (int attempt = 0; attempt < 100 && !finished; ++attempt) {
    try {
      run_driver(comm_, folder_ / "stopped", short_run, stop);
      finished = true;
    } catch (const Interrupted&) {
      ++stops;
    }
  }
  ASSERT_TRUE(finished);
  EXPECT_GT(stops, 10);
  EXPECT_TRUE(same_bits(read_whole_volume(folder_ / "whole"), read_whole_volume(folder_ / "stopped")));
}

}  // namespace
}  // namespace aetos
