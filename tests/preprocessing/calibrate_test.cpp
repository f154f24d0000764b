#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "aetos/core/error.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/preprocessing/preprocess.hpp"
#include "reconstruction/series_on_disk.hpp"
#include "support/silicon_images.hpp"
#include "support/temporary_folder.hpp"

/// Pixel size and distortion from images of silicon along [110], and what becomes of the tilt series.
namespace aetos::preprocessing {
namespace {

namespace fs = std::filesystem;
using test::Scan;

/// 2 % of shear; steps that are not square; a nominal pixel of 0.2 Å.
const Scan kScan{0.2031, 0.1988, 0.02, 12};
constexpr double kNominal_A = 0.2;

class Calibrate : public ::testing::Test {
 protected:
  fs::path file(const std::string& name) const { return folder_.path() / name; }

  /// Frames of 6 electrons a pixel of one place that drifts by a few pixels.
  void write_crystal(std::size_t frames, double electrons = 6, std::size_t n = 256) {
    Array<float, 3> images({frames, n, n});
    for (std::size_t i = 0; i < frames; ++i) {
      const auto t = static_cast<double>(i);
      const auto one = test::silicon(n, kScan, {0.7 * t - 0.13 * t * t, 0.41 * t}, electrons, 50 + i);
      std::copy(one.begin(), one.end(), images[i].begin());
    }
    test::write_series(comm_, file("si.h5"), std::vector<EulerAngles>(frames), images, "frames", kNominal_A);
  }
  Request request(std::optional<double> series_pixel_A = 0.3) {
    const std::vector<EulerAngles> angles{{0, -20, 0}, {0, 0, 0}, {0, 20, 0}};
    test::write_series(comm_, file("in.h5"), angles, test::spots(angles, 64, 64), "adf_noisy",
                       series_pixel_A);
    Request r;
    r.source = file("in.h5").string();
    r.options.calibrate = config::CalibrateOptions{};
    r.options.calibrate->file = file("si.h5").string();
    return r;
  }
  nlohmann::json run(const Request& r) {
    fs::remove_all(file("work"));
    fs::create_directories(file("work"));
    const Stop stop;
    return preprocess({comm_, stop, folder_.path(), file("work"), "print", "", 1, 60}, r,
                      {file("out.h5"), file("out.json"), file("shifts.csv"), file("calibration.json"),
                       file("calibration.h5")});
  }
  std::string refusal(const Request& r) {
    try {
      run(r);
    } catch (const InputError& e) {
      return e.what();
    }
    return "no error";
  }

  test::TemporaryFolder folder_;
  Communicator comm_{MPI_COMM_SELF};
};

TEST_F(Calibrate, NoisyDriftingImagesTellThePixelToAThousandth) {
  write_crystal(8);
  const auto found = run(request())["calibration"];
  EXPECT_NEAR(found["pixel_x_A"].get<double>() / kScan.pixel_x_A, 1, 1e-3);
  EXPECT_NEAR(found["pixel_y_A"].get<double>() / kScan.pixel_y_A, 1, 1e-3);
  EXPECT_NEAR(found["pixel_A"].get<double>() / std::sqrt(kScan.pixel_x_A * kScan.pixel_y_A), 1, 1e-3);
  EXPECT_NEAR(found["shear"].get<double>(), kScan.shear, 1e-3);
  EXPECT_LT(found["pixel_error_A"].get<double>(), 1e-3 * kScan.pixel_x_A);
  EXPECT_GE(found["spots"].get<int>(), 6);
  const auto details = nlohmann::json::parse(std::ifstream(file("calibration.json")));
  EXPECT_EQ(details["displacements_px"].size(), 8u);
  EXPECT_EQ(io::read_tilt_series_info(file("calibration.h5").string()).tilts, 1u);
}

TEST_F(Calibrate, TheSeriesGetsItsPixelAndLosesTheDistortion) {
  write_crystal(2, 20);
  // The series was recorded at another magnification: its nominal pixel is as far off as the crystal's.
  const double ratio = std::sqrt(kScan.pixel_x_A * kScan.pixel_y_A) / kNominal_A;
  run(request(0.3));
  EXPECT_NEAR(*io::read_tilt_series_info(file("out.h5").string()).pixel_A, 0.3 * ratio, 0.3e-3);
  const auto before = io::read_tilt_series_images(file("in.h5").string(), "adf_noisy", {0, 3});
  const auto after = io::read_tilt_series_images(file("out.h5").string(), "adf_noisy", {0, 3});
  // The centre of mass (about the rotation centre, where the distortion keeps points) of the image moves as
  // the geometry says.
  const auto centre = [](View<const float, 2> image) {
    double total = 0;
    Vec2 sum = Vec2::Zero();
    for (std::size_t y = 0; y < 64; ++y)
      for (std::size_t x = 0; x < 64; ++x) {
        total += image(y, x);
        sum += image(y, x) * Vec2(static_cast<double>(x) - 32, static_cast<double>(y) - 32);
      }
    return Vec2(sum / total);
  };
  const double pixel = std::sqrt(kScan.pixel_x_A * kScan.pixel_y_A);
  for (std::size_t t = 0; t < 3; ++t) {
    const Vec2 from = centre(before[t]), to = centre(after[t]);
    EXPECT_NEAR(to.x(), (kScan.pixel_x_A * from.x() + kScan.shear * kScan.pixel_y_A * from.y()) / pixel,
                0.02);
    EXPECT_NEAR(to.y(), kScan.pixel_y_A * from.y() / pixel, 0.02);
  }
  auto only_pixel = request(0.3);
  only_pixel.options.calibrate->apply = config::ApplyCalibration::pixel;
  run(only_pixel);
  EXPECT_NEAR(*io::read_tilt_series_info(file("out.h5").string()).pixel_A, 0.3 * ratio, 0.3e-3);
  const auto same = io::read_tilt_series_images(file("out.h5").string(), "adf_noisy", {0, 3});
  EXPECT_TRUE(std::equal(before.begin(), before.end(), same.begin()));
  auto reported = request(0.3);
  reported.options.calibrate->apply = config::ApplyCalibration::none;
  run(reported);
  EXPECT_EQ(*io::read_tilt_series_info(file("out.h5").string()).pixel_A, 0.3);
}

TEST_F(Calibrate, BadInputIsNamed) {
  write_crystal(1, 20);
  auto r = request();
  r.options.calibrate->crystal = config::Crystal::gold_100;
  EXPECT_NE(refusal(r).find("si.h5: spots of another lattice"), std::string::npos) << refusal(r);
  r = request();
  r.options.calibrate->pixel_A = 0.3;
  EXPECT_NE(refusal(r).find("3.136"), std::string::npos) << refusal(r);
  Array<float, 3> noise({1, 128, 128});
  for (std::size_t i = 0; i < noise.size(); ++i)
    noise.data()[i] = static_cast<float>(random::poisson(10, 9, random::Domain::test, {0, 0, i}));
  test::write_series(comm_, file("si.h5"), {EulerAngles{}}, noise, "frames", kNominal_A);
  EXPECT_NE(refusal(request()).find("no spots"), std::string::npos) << refusal(request());
  test::write_series(comm_, file("si.h5"), {EulerAngles{}}, noise, "frames", std::nullopt);
  EXPECT_NE(refusal(request(std::nullopt)).find("'preprocess.calibrate.pixel_A'"), std::string::npos);
  EXPECT_THROW(estimate(request(std::nullopt), 1), InputError);
  noise(0, 5, 7) = std::numeric_limits<float>::quiet_NaN();
  test::write_series(comm_, file("si.h5"), {EulerAngles{}}, noise, "frames", kNominal_A);
  EXPECT_NE(refusal(request()).find("si.h5"), std::string::npos) << refusal(request());
}

}  // namespace
}  // namespace aetos::preprocessing
