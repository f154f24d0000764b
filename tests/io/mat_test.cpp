#include <gtest/gtest.h>
#include <matio.h>

#include <cstdint>
#include <fstream>
#include <functional>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/python.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

struct Spec {
  mat_ft version;
  matio_compression compression;
};
const Spec kSpecs[] = {{MAT_FT_MAT5, MAT_COMPRESSION_NONE},
                       {MAT_FT_MAT5, MAT_COMPRESSION_ZLIB},
                       {MAT_FT_MAT73, MAT_COMPRESSION_NONE},
                       {MAT_FT_MAT73, MAT_COMPRESSION_ZLIB}};

class MatFiles : public ::testing::Test {
 protected:
  void with_file(const Spec& spec, const std::function<void(mat_t*)>& fill) {
    std::filesystem::remove(path_);
    mat_t* file = Mat_CreateVer(path_.c_str(), nullptr, spec.version);
    ASSERT_NE(file, nullptr);
    fill(file);
    Mat_Close(file);
  }

  template <class T>
  static void add(mat_t* file, const Spec& spec, const char* name, matio_classes kind, matio_types type,
                  std::vector<std::size_t> dims, std::vector<T> values, int options = 0) {
    matvar_t* v =
        Mat_VarCreate(name, kind, type, static_cast<int>(dims.size()), dims.data(), values.data(), options);
    ASSERT_EQ(Mat_VarWrite(file, v, spec.compression), 0);
    Mat_VarFree(v);
  }

  std::string error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const InputError& e) {
      return e.what();
    }
    ADD_FAILURE() << "no error";
    return {};
  }
  test::TemporaryFolder scratch_;
  std::string path_ = scratch_ / "a.mat";
};

/// Numbers 0, 1, 2... in MATLAB's order, x fastest.
template <class T>
std::vector<T> counting(std::size_t n) {
  std::vector<T> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<T>(i);
  return values;
}

void expect_counting(const std::string& source, std::size_t tilts, std::size_t ny, std::size_t nx) {
  const auto all = read_tilt_series_images(source, "", {0, tilts});
  ASSERT_EQ(all.shape(), (Shape<3>{tilts, ny, nx}));
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all.data()[i], static_cast<float>(i));
  // Every slab by itself equals the slab of the whole.
  for (std::size_t begin = 0; begin < ny; ++begin) {
    const std::size_t end = std::min(ny, begin + 2);
    const auto rows = read_tilt_series_rows(source, "", {begin, end});
    for (std::size_t t = 0; t < tilts; ++t)
      for (std::size_t y = begin; y < end; ++y)
        for (std::size_t x = 0; x < nx; ++x) ASSERT_EQ(rows(t, y - begin, x), all(t, y, x));
  }
}

TEST_F(MatFiles, OneArrayIsTheSameInEveryVersionOfTheFormat) {
  for (const Spec& spec : kSpecs) {
    with_file(spec, [&](mat_t* f) {
      add(f, spec, "p", MAT_C_DOUBLE, MAT_T_DOUBLE, {3, 4, 5}, counting<double>(60));
    });
    const TiltSeriesInfo info = read_tilt_series_info(path_);
    EXPECT_EQ(info.tilts, 5u);
    EXPECT_EQ(info.ny, 4u);
    EXPECT_EQ(info.nx, 3u);
    EXPECT_FALSE(info.is_counts);
    EXPECT_FALSE(info.pixel_A);
    expect_counting(path_, 5, 4, 3);
    EXPECT_EQ(read_volume_rows(path_, {1, 2})(4, 0, 2), static_cast<float>(4 * 12 + 1 * 3 + 2));
    EXPECT_EQ(read_volume_planes(path_ + ":p", {1, 2})(0, 3, 2), static_cast<float>(12 + 3 * 3 + 2));
  }
}

TEST_F(MatFiles, EveryKindOfNumberIsKept) {
  for (const Spec& spec : kSpecs) {
    const auto expect = [&](auto zero, matio_classes kind, matio_types type, bool counts, int options = 0) {
      using T = decltype(zero);
      with_file(spec, [&](mat_t* f) {
        std::vector<T> values{T(1), T(0), T(100), static_cast<T>(-7), T(5), T(6), T(7), T(8)};
        add(f, spec, "p", kind, type, {2, 2, 2}, values, options);
      });
      const auto a = read_tilt_series_images(path_, "", {0, 2});
      EXPECT_EQ(a(0, 0, 0), 1.0f);
      EXPECT_EQ(a(0, 1, 0), 100.0f);
      EXPECT_EQ(a(0, 1, 1), static_cast<float>(static_cast<T>(-7))) << kind;
      EXPECT_EQ(a(1, 1, 1), 8.0f);
      EXPECT_EQ(read_tilt_series_info(path_).is_counts, counts);
    };
    expect(float{}, MAT_C_SINGLE, MAT_T_SINGLE, false);
    expect(std::uint8_t{}, MAT_C_UINT8, MAT_T_UINT8, true);
    expect(std::int8_t{}, MAT_C_INT8, MAT_T_INT8, true);
    expect(std::uint16_t{}, MAT_C_UINT16, MAT_T_UINT16, true);
    expect(std::int16_t{}, MAT_C_INT16, MAT_T_INT16, true);
    expect(std::int32_t{}, MAT_C_INT32, MAT_T_INT32, true);
    expect(std::uint32_t{}, MAT_C_UINT32, MAT_T_UINT32, true);
    expect(std::int64_t{}, MAT_C_INT64, MAT_T_INT64, true);
    expect(std::uint8_t{}, MAT_C_UINT8, MAT_T_UINT8, true, MAT_F_LOGICAL);
  }
}

TEST_F(MatFiles, WhatCannotBeUsedIsListed) {
  for (const Spec& spec : kSpecs) {
    with_file(spec, [&](mat_t* f) {
      std::vector<double> re = counting<double>(8), im = counting<double>(8);
      mat_complex_split_t parts{re.data(), im.data()};
      std::size_t dims[] = {2, 2, 2}, one[] = {1, 1};
      matvar_t* z = Mat_VarCreate("z", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims, &parts, MAT_F_COMPLEX);
      Mat_VarWrite(f, z, spec.compression);
      Mat_VarFree(z);
      matvar_t* inside = Mat_VarCreate("inside", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims, re.data(), 0);
      matvar_t* cell = Mat_VarCreate("box", MAT_C_CELL, MAT_T_CELL, 2, one, nullptr, 0);
      Mat_VarSetCell(cell, 0, inside);
      Mat_VarWrite(f, cell, spec.compression);
      Mat_VarFree(cell);
    });
    const std::string message = error_of([&] { read_tilt_series_info(path_); });
    EXPECT_NE(message.find("z (2 x 2 x 2 complex double)"), std::string::npos) << message;
    EXPECT_NE(message.find("box (1 x 1 cell)"), std::string::npos) << message;
    error_of([&] { read_tilt_series_info(path_ + ":z"); });
    error_of([&] { read_tilt_series_info(path_ + ":box"); });
  }
}

TEST_F(MatFiles, SeveralArraysNeedAName) {
  for (const Spec& spec : kSpecs) {
    with_file(spec, [&](mat_t* f) {
      add(f, spec, "a", MAT_C_DOUBLE, MAT_T_DOUBLE, {2, 3, 4}, counting<double>(24));
      add(f, spec, "b", MAT_C_SINGLE, MAT_T_SINGLE, {3, 4, 5}, counting<float>(60));
      add(f, spec, "image", MAT_C_SINGLE, MAT_T_SINGLE, {6, 4}, counting<float>(24));
    });
    const std::string message = error_of([&] { read_tilt_series_info(path_); });
    EXPECT_NE(message.find("a (2 x 3 x 4 double)"), std::string::npos) << message;
    EXPECT_NE(message.find("b (3 x 4 x 5 single)"), std::string::npos) << message;
    expect_counting(path_ + ":b", 5, 4, 3);
    expect_counting(path_ + ":image", 1, 4, 6);  // MATLAB drops a last axis of length one
    error_of([&] { read_tilt_series_info(path_ + ":c"); });
  }
}

TEST_F(MatFiles, CutOffEmptyAndForeignFilesAreRefused) {
  for (const Spec& spec : kSpecs) {
    with_file(spec, [&](mat_t* f) {
      std::vector<double> noise(30 * 31 * 32);
      for (std::size_t i = 0; i < noise.size(); ++i)
        noise[i] = static_cast<double>((i * 2654435761u) % 65521) / 7;
      add(f, spec, "p", MAT_C_DOUBLE, MAT_T_DOUBLE, {30, 31, 32}, noise);
    });
    const std::string whole = read_text_file(path_);
    for (double part : {0.0, 0.0005, 0.01, 0.5, 0.9, 0.9999}) {
      write_file_atomically(
          path_, whole.substr(0, static_cast<std::size_t>(part * static_cast<double>(whole.size()))));
      const std::string message = error_of([&] { read_tilt_series_images(path_, "", {0, 32}); });
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }
  write_file_atomically(path_, std::string(500, 'x'));
  error_of([&] { read_tilt_series_info(path_); });
}

TEST_F(MatFiles, EitherByteOrderIsRead) {
  std::string bytes(124, ' ');
  const auto words = [&](std::initializer_list<std::uint32_t> list) {
    for (std::uint32_t w : list)
      for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(w >> shift & 0xff);
  };
  bytes += std::string("\x01\x00MI", 4);
  // A matrix of class int16, 2 x 1 x 2, named "big", with its data as bytes in a tag.
  words({14, 56, 6, 8, 10, 0, 5, 12, 2, 1, 2, 0});
  words({3u << 16 | 1u});
  bytes += std::string("big\0", 4);
  words({4u << 16 | 1u});
  bytes += std::string("\x01\xfe\x03\x04", 4);
  write_file_atomically(path_, bytes);
  const auto a = read_tilt_series_images(path_, "", {0, 2});
  EXPECT_EQ(std::vector<float>(a.data(), a.data() + a.size()), (std::vector<float>{1, -2, 3, 4}));
}

TEST_F(MatFiles, ForgedSizesAreRefusedBeforeMemoryIsTaken) {
  for (const Spec& spec : kSpecs) {
    if (spec.version == MAT_FT_MAT73) continue;
    with_file(spec, [&](mat_t* f) {
      add(f, spec, "p", MAT_C_DOUBLE, MAT_T_DOUBLE, {3, 4, 5}, counting<double>(60));
    });
    const std::string whole = read_text_file(path_);
    std::size_t refused = 0;
    for (std::size_t at = 128; at < std::min<std::size_t>(whole.size(), 200); ++at) {
      std::string forged = whole;
      forged[at] = static_cast<char>(forged[at] ^ 0x7f);
      write_file_atomically(path_, forged);
      try {
        read_tilt_series_images(path_, "", {0, read_tilt_series_info(path_).tilts});
      } catch (const InputError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 20u);
  }
}

TEST_F(MatFiles, AnglesAsEulerTableOrList) {
  for (const Spec& spec : kSpecs) {
    with_file(spec, [&](mat_t* f) {
      add(f, spec, "angles", MAT_C_DOUBLE, MAT_T_DOUBLE, {2, 3}, std::vector<double>{1, 2, -70, 70, 5, 6});
      add(f, spec, "other", MAT_C_DOUBLE, MAT_T_DOUBLE, {4, 1}, std::vector<double>{1, 2, 3, 4});
    });
    EXPECT_EQ(read_angles(path_), (std::vector<EulerAngles>{{1, -70, 5}, {2, 70, 6}}));
    EXPECT_EQ(read_angles(path_ + ":other").size(), 4u);
    EXPECT_EQ(read_angles(path_ + ":other")[2], (EulerAngles{0, 3, 0}));
    with_file(spec, [&](mat_t* f) {
      add(f, spec, "t", MAT_C_DOUBLE, MAT_T_DOUBLE, {2, 3},
          std::vector<double>{1, 2, std::nan(""), 70, 5, 6});
    });
    EXPECT_NE(error_of([&] { read_angles(path_); }).find("row 1"), std::string::npos);
    with_file(spec, [&](mat_t* f) {
      add(f, spec, "t", MAT_C_DOUBLE, MAT_T_DOUBLE, {2, 2}, std::vector<double>{1, 2, 3, 4});
    });
    EXPECT_NE(error_of([&] { read_angles(path_); }).find("2 x 2"), std::string::npos);
  }
}

TEST_F(MatFiles, PublicSeriesAreReadAsScipyReadsThem) {
  AETOS_NEEDS_SHARED("tomography/resire-sample/projections.mat");
  if (!test::python_has("scipy.io")) GTEST_SKIP() << "python3-scipy is not installed";
  write_file_atomically(scratch_ / "dump.py", R"(
import sys
import numpy as np
from scipy.io import loadmat
a = loadmat(sys.argv[1])[sys.argv[2]]
np.ascontiguousarray(a.transpose(2, 1, 0), dtype=np.float32).tofile(sys.argv[3])
)");
  for (const char* file : {"resire-sample/projections.mat", "small-simulated/projections_noisy.mat",
                           "ta-film-area5/projections.mat"}) {
    const std::string path = test::shared_data(std::string("tomography/") + file);
    ASSERT_EQ(test::run_python(scratch_ / "dump.py", path + " projections " + (scratch_ / "raw").string()),
              0);
    const std::string raw = read_text_file(scratch_ / "raw");
    const TiltSeriesInfo info = read_tilt_series_info(path);
    const auto ours = read_tilt_series_images(path, "", {0, info.tilts});
    ASSERT_EQ(raw.size(), ours.size() * sizeof(float));
    EXPECT_EQ(std::memcmp(raw.data(), ours.data(), raw.size()), 0) << file;
    const auto rows = read_tilt_series_rows(path, "", {20, 30});
    EXPECT_EQ(rows(7, 9, 11), ours(7, 29, 11));
  }
  EXPECT_EQ(read_angles(test::shared_data("tomography/resire-sample/angles.mat")).size(), 41u);
  EXPECT_TRUE(
      read_tilt_series_info(test::shared_data("tomography/small-simulated/projections_noisy.mat")).is_counts);
}

}  // namespace
}  // namespace aetos::io
