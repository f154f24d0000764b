#include "aetos/io/tilt_series.hpp"

#include <gtest/gtest.h>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "support/python.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

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
  test::TemporaryFolder scratch_;
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

TEST_F(TiltSeriesFile, H5pyAndH5dumpReadTheLayout) {
  if (!test::python_has("h5py")) GTEST_SKIP() << "python3-h5py is not installed";
  write(seven_tilts(), scratch_ / "series.h5");
  write_file_atomically(scratch_ / "check.py", R"(
import sys
import h5py
import numpy as np
f = h5py.File(sys.argv[1], 'r')
assert (f.attrs['version_major'], f.attrs['version_minor']) == (0, 2)
for name in ('adf_clean', 'adf_noisy', 'adf2_clean'):
    g = f['data'][name]
    assert g.attrs['emd_group_type'] == 1
    assert sorted(g) == ['data', 'dim1', 'dim2', 'dim3'], list(g)
    assert g['data'].shape == (7, 40, 64) and g['data'].dtype == np.float32
    for i, (axis, units) in enumerate((('tilt', '[deg]'), ('y', '[Å]'), ('x', '[Å]'))):
        dim = g['dim%d' % (i + 1)]
        assert dim.attrs['name'] == axis and dim.attrs['units'] == units, dict(dim.attrs)
        assert dim.shape == (g['data'].shape[i],)
    assert np.allclose(g['dim1'], -75 + 2.5 * np.arange(7))
    assert np.allclose(g['dim3'], (np.arange(64) - 32) * 0.3434)
F = np.zeros((40, 64))
F[8:32, 20] = 1
F[8, 20:36] = 1
F[18, 20:30] = 1
assert np.array_equal(f['data/adf_clean/data'][3], F)
assert f['microscope'].attrs['voltage_kV'] == 300 and f['microscope'].attrs['defocus_A'] == -25.5
assert f['aetos'].attrs['seed'] == 5 and f['aetos'].attrs['config'] == 'seed: 5\n'
assert np.allclose(f['aetos/euler_deg'][2], [1.0, -70, 0.2])
)");
  EXPECT_EQ(test::run_python(scratch_ / "check.py", scratch_ / "series.h5"), 0);
  if (std::system("command -v h5dump > /dev/null") != 0) GTEST_SKIP() << "h5dump is not installed";
  EXPECT_EQ(std::system(("h5dump -H " + (scratch_ / "series.h5").string() + " > /dev/null").c_str()), 0);
}

TEST_F(TiltSeriesFile, HyperspySeesOneSignalForEachGroup) {
  if (!test::python_has("hyperspy.api")) GTEST_SKIP() << "python3-hyperspy is not installed";
  write(seven_tilts(), scratch_ / "series.h5");
  TiltSeriesInfo single = seven_tilts();
  single.tilts = 1;
  single.ny = 1;
  single.angles = {{0, 12.5, 0}};
  single.signals = {"adf_clean"};
  write(single, scratch_ / "single.h5");
  write_file_atomically(scratch_ / "check.py", R"(
import sys
import hyperspy.api as hs
signals = hs.load(sys.argv[1] + '/series.h5', reader='emd')
assert len(signals) == 3, signals
for s in signals:
    # HyperSpy turns the order of the axes round; names and sizes stay together.
    assert [s.axes_manager[n].size for n in ('tilt', 'y', 'x')] == [7, 40, 64], s
    axis = s.axes_manager['x']
    assert abs(axis.scale - 0.3434) < 1e-6 and axis.units == 'Å', axis
s = hs.load(sys.argv[1] + '/single.h5', reader='emd')
assert s.data.size == 64, s
)");
  EXPECT_EQ(test::run_python(scratch_ / "check.py", scratch_.path()), 0);
}

TEST_F(TiltSeriesFile, OneTiltAndOneRow) {
  TiltSeriesInfo info = seven_tilts();
  info.tilts = 1;
  info.ny = 1;
  info.angles = {{0, 12.5, 0}};
  write(info, scratch_ / "one.h5");
  const TiltSeriesInfo read = read_tilt_series_info(scratch_ / "one.h5");
  EXPECT_EQ(read.angles, info.angles);
  EXPECT_EQ(read.pixel_A, info.pixel_A);
  EXPECT_EQ(read_tilt_series_rows(scratch_ / "one.h5", "adf_noisy", {0, 1})(0, 0, 5), value_at(1, 0, 0, 5));
}

TEST_F(TiltSeriesFile, NamesThatReadersWouldJoinAreRefused) {
  TiltSeriesInfo info = seven_tilts();
  info.signals = {"adf", "adf2"};
  EXPECT_THROW(TiltSeriesWriter(comm_, scratch_ / "series.h5", info, {}), InputError);
}

}  // namespace
}  // namespace aetos::io
