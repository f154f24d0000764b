#include "aetos/preprocessing/preprocess.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "aetos/core/error.hpp"
#include "aetos/core/units.hpp"
#include "aetos/imaging/dose.hpp"
#include "aetos/imaging/shift.hpp"
#include "aetos/io/tilt_series.hpp"
#include "reconstruction/series_on_disk.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::preprocessing {
namespace {

namespace fs = std::filesystem;
using imaging::Shift;

std::vector<EulerAngles> tilts() {
  std::vector<EulerAngles> angles;
  for (double theta = -60; theta <= 60; theta += 10) angles.push_back({0, theta, 0});
  return angles;
}

/// Reproducible shifts of a few pixels.
Shift shift_of(std::size_t i) {
  const auto n = static_cast<double>(i);
  return {3 * std::sin(2.3 * n + 0.4), 2.5 * std::cos(3.1 * n)};
}

class Preprocess : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(work()); }
  fs::path work() const { return folder_.path() / "work"; }
  fs::path file(const std::string& name) const { return folder_.path() / name; }
  Outputs outputs() const { return {file("out.h5"), file("out.json"), file("shifts.csv")}; }

  nlohmann::json run(const Request& request) {
    fs::remove_all(work());
    fs::create_directories(work());
    const Stop stop;
    return preprocess({comm_, stop, folder_.path(), work(), "print", "", 1, 60}, request, outputs());
  }
  Array<float, 3> images(const std::string& name = "out.h5") const {
    const auto info = io::read_tilt_series_info(file(name).string());
    return io::read_tilt_series_images(file(name).string(), info.signals[0], {0, info.tilts});
  }
  std::vector<Shift> shifts() const {
    const auto done = nlohmann::json::parse(std::ifstream(file("out.json")));
    std::vector<Shift> found;
    for (const auto& p : done["projections"]) found.push_back({p["shift_px"]["y"], p["shift_px"]["x"]});
    return found;
  }
  /// Spots in 64 x 64 pixels about the rotation centre, moved by known shifts.
  Request moved_series() {
    auto images = test::spots(tilts(), 64, 64);
    for (std::size_t i = 0; i < images.extent(0); ++i) {
      const auto moved = imaging::shift_image(images[i], shift_of(i));
      std::copy(moved.begin(), moved.end(), images[i].begin());
    }
    test::write_series(comm_, file("in.h5"), tilts(), images);
    Request request;
    request.source = file("in.h5").string();
    return request;
  }

  test::TemporaryFolder folder_;
  Communicator comm_{MPI_COMM_SELF};
};

/// Distance between shifts and the truth's negative, once a common shift is taken off along y and
/// what a point off the axis does along x.
struct Errors {
  Shift worst, rms;
};
Errors errors(const std::vector<Shift>& found, const std::vector<Shift>& truth,
              const std::vector<EulerAngles>& angles) {
  double cc = 0, cs = 0, ss = 0, cx = 0, sx = 0, mean = 0;
  std::vector<Vec3> rows;  // cos, sin, x
  std::vector<double> y;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double theta = radians(angles[i].theta_deg), c = std::cos(theta), s = std::sin(theta);
    const double x = found[i].x + truth[i].x;
    rows.emplace_back(c, s, x);
    y.push_back(found[i].y + truth[i].y);
    mean += y.back() / static_cast<double>(found.size());
    cc += c * c, cs += c * s, ss += s * s, cx += c * x, sx += s * x;
  }
  const double det = cc * ss - cs * cs, a = (ss * cx - cs * sx) / det, b = (cc * sx - cs * cx) / det;
  Errors e;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double off_y = y[i] - mean, off_x = rows[i].z() - a * rows[i].x() - b * rows[i].y();
    e.worst = {std::max(e.worst.y, std::abs(off_y)), std::max(e.worst.x, std::abs(off_x))};
    e.rms = {e.rms.y + off_y * off_y, e.rms.x + off_x * off_x};
  }
  const auto n = static_cast<double>(rows.size());
  e.rms = {std::sqrt(e.rms.y / n), std::sqrt(e.rms.x / n)};
  return e;
}

TEST_F(Preprocess, EveryWayOfAlignmentBringsTheImagesBack) {
  auto request = moved_series();
  std::vector<Shift> truth;
  for (std::size_t i = 0; i < tilts().size(); ++i) truth.push_back(shift_of(i));
  const std::vector<std::pair<config::Align, double>> ways{{config::Align::centre_of_mass, 0.02},
                                                           {config::Align::common_line, 0.02},
                                                           {config::Align::cross_correlation, 2}};
  for (const auto& [align, bound] : ways) {
    request.options.align = align;
    run(request);
    const Shift worst = errors(shifts(), truth, tilts()).worst;
    EXPECT_LT(worst.y, bound) << static_cast<int>(align);
    EXPECT_LT(worst.x, bound) << static_cast<int>(align);
  }
}

TEST_F(Preprocess, ShiftsOfOneRunServeAnother) {
  auto request = moved_series();
  request.options.align = config::Align::common_line;
  run(request);
  const auto first = images();
  const auto found = shifts();
  fs::copy_file(file("shifts.csv"), file("given.csv"));
  request.options.align = config::Align::none;
  request.options.shifts = file("given.csv").string();
  run(request);
  const auto second = images();
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin()));
  EXPECT_EQ(shifts(), found);
  request.exclude = {0, 5};
  request.angles = tilts();
  run(request);
  EXPECT_EQ(shifts()[0], found[1]);
  EXPECT_EQ(io::read_tilt_series_info(file("out.h5").string()).angles[4].theta_deg, 0);
}

TEST_F(Preprocess, ATiltAxisAlongXIsFollowed) {
  auto request = moved_series();
  request.options.align = config::Align::common_line;
  run(request);
  const auto upright = shifts();
  auto series = images("in.h5");
  Array<float, 3> turned(series.shape());
  for (std::size_t t = 0; t < series.extent(0); ++t)
    for (std::size_t y = 0; y < 64; ++y)
      for (std::size_t x = 0; x < 64; ++x) turned(t, x, y) = series(t, y, x);
  test::write_series(comm_, file("turned.h5"), tilts(), turned);
  request.source = file("turned.h5").string();
  request.tilt_axis = tomography::TiltAxis::x;
  run(request);
  for (std::size_t i = 0; i < upright.size(); ++i) {
    EXPECT_NEAR(shifts()[i].x, upright[i].y, 1e-9);
    EXPECT_NEAR(shifts()[i].y, upright[i].x, 1e-9);
  }
}

TEST_F(Preprocess, BackgroundHotPixelsAndTotalsAreSetRight) {
  auto truth = test::spots(tilts(), 48, 48);
  Array<float, 3> series = truth.clone();
  for (std::size_t t = 0; t < series.extent(0); ++t)
    for (std::size_t y = 0; y < 48; ++y)
      for (std::size_t x = 0; x < 48; ++x) {
        const double brightness = 1 + 0.05 * static_cast<double>(t);
        series(t, y, x) =
            static_cast<float>(brightness * series(t, y, x) + 20 + 0.2 * static_cast<double>(x) +
                               0.1 * static_cast<double>(y) * static_cast<double>(t));
      }
  series(3, 10, 10) = std::nanf("");
  series(4, 40, 7) = 1e5F;
  test::write_series(comm_, file("in.h5"), tilts(), series);
  Request request;
  request.source = file("in.h5").string();
  request.options.background = config::Background::plane;
  request.options.normalize = config::Normalize::total;
  EXPECT_THROW(run(request), InputError);  // the undefined pixel
  request.options.bad_pixels = config::BadPixels::interpolate;
  const auto summary = run(request);
  EXPECT_EQ(summary["replaced_pixels"], 2);
  const auto cleaned = images();
  double scale = 0, weight = 0;
  for (std::size_t i = 0; i < cleaned.size(); ++i) {
    scale += cleaned.data()[i] * truth.data()[i];
    weight += truth.data()[i] * truth.data()[i];
  }
  scale /= weight;
  for (std::size_t i = 0; i < cleaned.size(); ++i)
    EXPECT_NEAR(cleaned.data()[i] / scale, truth.data()[i], 1.5);
  request.options.background = config::Background::mask;
  run(request);
  EXPECT_EQ(images()(6, 1, 1), 0);
}

TEST_F(Preprocess, HotPixelsMoveNoImage) {
  auto request = moved_series();
  request.options.bad_pixels = config::BadPixels::interpolate;
  auto series = images("in.h5");
  const double mean = std::accumulate(series.begin(), series.end(), 0.0) / static_cast<double>(series.size());
  for (std::size_t i = 0; i < 3; ++i)
    series(2 + 3 * i, 5 + 17 * i, 60 - 23 * i) = static_cast<float>(1e4 * mean);
  test::write_series(comm_, file("hot.h5"), tilts(), series);
  for (const auto align :
       {config::Align::centre_of_mass, config::Align::common_line, config::Align::cross_correlation}) {
    request.options.align = align;
    request.source = file("in.h5").string();
    EXPECT_EQ(run(request)["replaced_pixels"], 0);
    const auto clean = shifts();
    request.source = file("hot.h5").string();
    EXPECT_EQ(run(request)["replaced_pixels"], 3);
    const auto found = shifts();
    for (std::size_t i = 0; i < clean.size(); ++i) {
      EXPECT_NEAR(found[i].x, clean[i].x, 0.1) << i;
      EXPECT_NEAR(found[i].y, clean[i].y, 0.1) << i;
    }
  }
}

TEST_F(Preprocess, SimulatedSeriesComesBackWithItsNoise) {
  AETOS_NEEDS_SHARED("tomography/small-simulated");
  const auto source = test::shared_data("tomography/small-simulated/projections_noisy.mat").string();
  const auto angles = io::read_angles(test::shared_data("tomography/small-simulated/angles.mat").string());
  Request still;
  still.source = source;
  still.angles = angles;
  still.options.align = config::Align::common_line;
  run(still);
  const auto own = shifts();
  auto series = io::read_tilt_series_images(source, "", {0, angles.size()});
  std::vector<Shift> truth;
  for (std::size_t i = 0; i < angles.size(); ++i) {
    truth.push_back(shift_of(i));
    const auto moved = imaging::shift_image(series[i], shift_of(i));
    std::copy(moved.begin(), moved.end(), series[i].begin());
  }
  test::write_series(comm_, file("in.h5"), angles, series);
  Request request;
  request.source = file("in.h5").string();
  request.options.align = config::Align::common_line;
  run(request);
  // The imposed shifts are found again; what is left in both is what intensity is not mass (channelling).
  const auto again = shifts();
  for (std::size_t i = 0; i < own.size(); ++i) {
    EXPECT_NEAR(again[i].y - own[i].y, -truth[i].y, 0.05);
    EXPECT_NEAR(again[i].x - own[i].x, -truth[i].x, 0.05);
  }
  const Shift off = errors(again, truth, angles).rms;
  EXPECT_LT(off.y, 0.2);
  EXPECT_LT(off.x, 0.5);
  RecordProperty("rms_y_px", std::to_string(off.y));
  RecordProperty("rms_x_px", std::to_string(off.x));
}

TEST_F(Preprocess, DenoisedImagesAreNearerToTheTruth) {
  const auto truth = test::spots(tilts(), 48, 48);
  auto series = truth.clone();
  for (std::size_t t = 0; t < series.extent(0); ++t) {
    Array<double, 2> image({48, 48});
    for (std::size_t i = 0; i < image.size(); ++i) image.data()[i] = 0.3 * series[t].data()[i] / 1000;
    imaging::add_counting_noise(image, 1000, {}, 3, t, 0);
    for (std::size_t i = 0; i < image.size(); ++i)
      series[t].data()[i] = static_cast<float>(image.data()[i] * 1000 / 0.3);
  }
  io::TiltSeriesInfo info;
  info.tilts = tilts().size();
  info.ny = info.nx = 48;
  info.angles = tilts();
  info.signals = {"adf_noisy"};
  info.electrons_per_pixel = 0.3;
  io::TiltSeriesWriter writer(comm_, file("in.h5"), info, {"test", "test", "", "", 1});
  std::vector<std::size_t> all(info.tilts);
  std::iota(all.begin(), all.end(), std::size_t{0});
  writer.write("adf_noisy", all, series);
  writer.commit();
  const auto error = [&](const Array<float, 3>& a) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(a.data()[i] - truth.data()[i], 2);
    return std::sqrt(sum / static_cast<double>(a.size()));
  };
  Request request;
  request.source = file("in.h5").string();
  for (const auto method : {config::Denoise::bm3d, config::Denoise::non_local_means}) {
    request.options.denoise = method;
    run(request);
    EXPECT_LT(error(images()), 0.9 * error(series)) << static_cast<int>(method);
  }
}

TEST_F(Preprocess, ImagesWithoutIntensityAreLeftAlone) {
  auto series = test::spots(tilts(), 32, 32);
  for (float& v : series[4]) v = 0;
  test::write_series(comm_, file("in.h5"), tilts(), series);
  for (auto align :
       {config::Align::centre_of_mass, config::Align::common_line, config::Align::cross_correlation}) {
    Request request;
    request.source = file("in.h5").string();
    request.options.align = align;
    request.options.background = config::Background::mask;
    request.options.normalize = config::Normalize::total;
    run(request);
    const auto cleaned = images();
    for (float v : cleaned) ASSERT_TRUE(std::isfinite(v));
    for (float v : cleaned[4]) ASSERT_EQ(v, 0);
  }
}

TEST_F(Preprocess, WhatCannotBeDoneIsRefused) {
  auto request = moved_series();
  const auto refusal = [&] {
    try {
      run(request);
    } catch (const InputError& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  request.angles = {{0, 0, 0}};
  EXPECT_NE(refusal().find("13 images"), std::string::npos);
  request.angles = tilts();
  request.angles[2].psi_deg = 5;
  request.options.align = config::Align::common_line;
  EXPECT_NE(refusal().find("preprocess.align"), std::string::npos);
  request.angles = tilts();
  request.exclude = {99};
  EXPECT_NE(refusal().find("tilts.exclude"), std::string::npos);
  request.exclude.clear();
  request.options.align = config::Align::none;
  request.options.signal = "bf";
  EXPECT_NE(refusal().find("preprocess.signal"), std::string::npos);
  request.options.signal = "auto";
  std::ofstream(file("bad.csv")) << "projection,theta_deg,shift_y_px,shift_x_px\n0,0,1,nan\n";
  request.options.shifts = file("bad.csv").string();
  EXPECT_NE(refusal().find("bad.csv:2"), std::string::npos);
  std::ofstream(file("few.csv")) << "projection,theta_deg,shift_y_px,shift_x_px\n0,0,1,2\n";
  request.options.shifts = file("few.csv").string();
  EXPECT_NE(refusal().find("no shift of projection 1"), std::string::npos);
  EXPECT_FALSE(fs::exists(file("out.h5")));
}

}  // namespace
}  // namespace aetos::preprocessing
