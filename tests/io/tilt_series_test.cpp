#include "aetos/io/tilt_series.hpp"

#include <gtest/gtest.h>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "io/scratch.hpp"
#include "support/shared_data.hpp"

namespace aetos::io {
namespace {

/// The letter F, upright: rows count downwards from the top of the picture.
void draw_F(View<float, 2> image) {
  for (std::size_t y = 8; y < 32; ++y) image(y, 20) = 1;
  for (std::size_t x = 20; x < 36; ++x) image(8, x) = 1;
  for (std::size_t x = 20; x < 30; ++x) image(18, x) = 1;
}

TiltSeriesInfo seven_tilts() {
  TiltSeriesInfo info;
  info.tilts = 7;
  info.ny = 40;
  info.nx = 64;
  info.pixel_A = 0.3434;
  for (int i = 0; i < 7; ++i) info.angles.push_back({0.5 * i, -75 + 2.5 * i, 0.1 * i});
  info.signals = {"adf_clean", "adf_noisy", "adf2_clean"};
  info.electrons_per_pixel = 1132.07;
  info.microscope.numbers = {{"voltage_kV", 300}, {"defocus_A", -25.5}};
  info.microscope.texts = {{"focus_reference", "centre"}};
  info.sample.texts = {{"file", "zr1.extxyz"}};
  return info;
}

float value_at(std::size_t signal, std::size_t t, std::size_t y, std::size_t x) {
  return static_cast<float>(signal * 1000 + t * 100) + static_cast<float>(y) + static_cast<float>(x) / 64;
}

Array<float, 3> images_of(const TiltSeriesInfo& info, std::size_t signal) {
  Array<float, 3> images({info.tilts, info.ny, info.nx});
  for (std::size_t t = 0; t < info.tilts; ++t)
    for (std::size_t y = 0; y < info.ny; ++y)
      for (std::size_t x = 0; x < info.nx; ++x) images(t, y, x) = value_at(signal, t, y, x);
  return images;
}

class TiltSeriesFile : public ::testing::Test {
 protected:
  void write(const TiltSeriesInfo& info, const std::filesystem::path& path) {
    TiltSeriesWriter writer(comm_, path, info, {"1.2.3", "abc123", "seed: 5\n", "f00d", 5});
    std::vector<std::size_t> all(info.tilts);
    for (std::size_t t = 0; t < info.tilts; ++t) all[t] = t;
    for (std::size_t s = 0; s < info.signals.size(); ++s) {
      auto images = images_of(info, s);
      if (s == 0 && info.tilts > 3 && info.ny == 40) {
        std::fill(images[3].begin(), images[3].end(), 0.0f);
        draw_F(images[3]);
      }
      writer.write(info.signals[s], all, images);
    }
    writer.commit();
  }
  Communicator comm_{MPI_COMM_WORLD};
  test::Scratch scratch_;
};

TEST_F(TiltSeriesFile, ReadsBackWhatWasWritten) {
  const TiltSeriesInfo info = seven_tilts();
  const std::string path = scratch_ / "series.h5";
  write(info, path);
  EXPECT_FALSE(std::filesystem::exists(partial_name(path)));
  const TiltSeriesInfo read = read_tilt_series_info(path);
  EXPECT_EQ(read.tilts, 7u);
  EXPECT_EQ(read.ny, 40u);
  EXPECT_EQ(read.nx, 64u);
  EXPECT_EQ(read.pixel_A, info.pixel_A);
  EXPECT_EQ(read.angles, info.angles);
  EXPECT_EQ(read.signals, (std::vector<std::string>{"adf2_clean", "adf_clean", "adf_noisy"}));
  EXPECT_EQ(read.electrons_per_pixel, info.electrons_per_pixel);
  EXPECT_FALSE(read.is_counts);
  EXPECT_EQ(read.microscope.numbers, info.microscope.numbers);
  EXPECT_EQ(read.microscope.texts, info.microscope.texts);
  EXPECT_EQ(read.sample.texts, info.sample.texts);

  const auto rows = read_tilt_series_rows(path, "adf_noisy", {5, 9});
  ASSERT_EQ(rows.shape(), (Shape<3>{7, 4, 64}));
  for (std::size_t t = 0; t < 7; ++t)
    for (std::size_t y = 0; y < 4; ++y)
      for (std::size_t x = 0; x < 64; ++x) ASSERT_EQ(rows(t, y, x), value_at(1, t, y + 5, x));
  const auto images = read_tilt_series_images(path, "auto", {2, 4});
  ASSERT_EQ(images.shape(), (Shape<3>{2, 40, 64}));
  EXPECT_EQ(images(1, 39, 63), value_at(1, 3, 39, 63));
  EXPECT_THROW(read_tilt_series_images(path, "adf3", {0, 1}), InputError);
  EXPECT_THROW(read_tilt_series_images(path, "adf_clean", {6, 8}), InputError);
}

TEST_F(TiltSeriesFile, WithoutCommitNothingIsLeft) {
  const std::filesystem::path path = scratch_ / "series.h5";
  { TiltSeriesWriter writer(comm_, path, seven_tilts(), {}); }
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST_F(TiltSeriesFile, AMissingImageIsNoticed) {
  TiltSeriesWriter writer(comm_, scratch_ / "series.h5", seven_tilts(), {});
  EXPECT_THROW(writer.commit(), std::logic_error);
}

TEST_F(TiltSeriesFile, NamesThatReadersWouldJoinAreRefused) {
  TiltSeriesInfo info = seven_tilts();
  info.signals = {"adf", "adf2"};
  EXPECT_THROW(TiltSeriesWriter(comm_, scratch_ / "series.h5", info, {}), InputError);
}

}  // namespace
}  // namespace aetos::io
