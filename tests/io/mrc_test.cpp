#include <gtest/gtest.h>

#include <cstring>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/mrc_file.hpp"
#include "aetos/io/tilt_series.hpp"
#include "support/python.hpp"
#include "support/temporary_folder.hpp"

namespace aetos::io {
namespace {

/// An MRC file made by hand: 4 x 3 pixels, 2 sections.
struct HandMade {
  std::string bytes = std::string(1024, '\0');
  bool big_endian = false;

  template <class T>
  void put(std::size_t at, T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    if (big_endian) std::reverse(raw, raw + sizeof(T));
    if (at + sizeof(T) > bytes.size()) bytes.resize(at + sizeof(T));
    std::memcpy(bytes.data() + at, raw, sizeof(T));
  }
  explicit HandMade(std::int32_t mode, bool big = false) : big_endian(big) {
    put<std::int32_t>(0, 4);
    put<std::int32_t>(4, 3);
    put<std::int32_t>(8, 2);
    put<std::int32_t>(12, mode);
    for (std::size_t a = 0; a < 3; ++a) {
      put<std::int32_t>(28 + 4 * a, a == 0 ? 4 : a == 1 ? 3 : 2);
      put<float>(40 + 4 * a, 0.5f * (a == 0 ? 4.0f : a == 1 ? 3.0f : 2.0f));
      put<std::int32_t>(64 + 4 * a, static_cast<std::int32_t>(a) + 1);
    }
    std::memcpy(bytes.data() + 208, "MAP ", 4);
    stamp(big ? 0x11 : 0x44, big ? 0x11 : 0x44);
  }
  void stamp(int a, int b) {
    bytes[212] = static_cast<char>(a);
    bytes[213] = static_cast<char>(b);
  }
  template <class T>
  HandMade& values(T first, T step) {
    const std::size_t start = bytes.size();
    for (std::size_t i = 0; i < 24; ++i)
      put<T>(start + i * sizeof(T), static_cast<T>(first + static_cast<T>(i) * step));
    return *this;
  }
};

class MrcFiles : public ::testing::Test {
 protected:
  void save(const HandMade& m) { write_file_atomically(path_, m.bytes); }
  std::string error_of(const HandMade& m) {
    save(m);
    try {
      read_tilt_series_images(path_, "", {0, 2});
    } catch (const InputError& e) {
      return e.what();
    }
    ADD_FAILURE() << "no error";
    return {};
  }
  Array<float, 3> read() { return read_tilt_series_images(path_, "", {0, 2}); }
  test::TemporaryFolder scratch_;
  std::string path_ = scratch_ / "a.mrc";
};

TEST_F(MrcFiles, EveryModeInBothByteOrders) {
  for (bool big : {false, true}) {
    const auto expect = [&](HandMade m, double first, double step, bool counts) {
      save(m);
      const auto a = read();
      ASSERT_EQ(a.shape(), (Shape<3>{2, 3, 4}));
      for (std::size_t i = 0; i < 24; ++i)
        ASSERT_EQ(a.data()[i], static_cast<float>(first + step * static_cast<double>(i)));
      const TiltSeriesInfo info = read_tilt_series_info(path_);
      EXPECT_EQ(info.is_counts, counts);
      EXPECT_EQ(info.pixel_A, 0.5);
      EXPECT_TRUE(info.angles.empty());
    };
    expect(HandMade(0, big).values<std::int8_t>(-12, 1), -12, 1, true);
    expect(HandMade(1, big).values<std::int16_t>(-300, 7), -300, 7, true);
    expect(HandMade(2, big).values<float>(-1.5f, 0.25f), -1.5, 0.25, false);
    expect(HandMade(6, big).values<std::uint16_t>(65000, 3), 65000, 3, true);
    HandMade half(12, big);
    // 1, -2, 65504 (the largest), 2^-24 (the smallest), 0.333251953125, infinity
    const std::uint16_t codes[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555, 0x7c00};
    for (std::size_t i = 0; i < 24; ++i) half.put<std::uint16_t>(1024 + 2 * i, codes[i % 6]);
    save(half);
    const auto a = read();
    EXPECT_EQ(a(0, 0, 0), 1.0f);
    EXPECT_EQ(a(0, 0, 1), -2.0f);
    EXPECT_EQ(a(0, 0, 2), 65504.0f);
    EXPECT_EQ(a(0, 0, 3), std::ldexp(1.0f, -24));
    EXPECT_EQ(a(0, 1, 0), 0.333251953125f);
    EXPECT_TRUE(std::isinf(a(0, 1, 1)));
  }
}

TEST_F(MrcFiles, BytesOfOlderImodHaveNoSign) {
  HandMade m(0);
  m.put<std::int32_t>(152, 1146047817);
  save(m.values<std::uint8_t>(200, 1));
  EXPECT_EQ(read()(0, 0, 3), 203.0f);
}

TEST_F(MrcFiles, OtherModesAreNamed) {
  for (int mode : {3, 4, 5, 16, 101, 999})
    EXPECT_NE(error_of(HandMade(mode).values<float>(0, 1)).find("mode " + std::to_string(mode)),
              std::string::npos)
        << mode;
}

TEST_F(MrcFiles, RowsAndExtendedHeaders) {
  HandMade m(2);
  m.put<std::int32_t>(92, 160);
  m.bytes.resize(1024 + 160, 'x');
  save(m.values<float>(0, 1));
  const auto rows = read_tilt_series_rows(path_, "", {1, 3});
  ASSERT_EQ(rows.shape(), (Shape<3>{2, 2, 4}));
  EXPECT_EQ(rows(0, 0, 0), 4.0f);
  EXPECT_EQ(rows(1, 1, 3), 23.0f);
  EXPECT_EQ(read_volume_planes(path_, {1, 2})(0, 0, 1), 13.0f);
}

TEST_F(MrcFiles, AnUnknownPixelSizeIsUnknown) {
  const auto pixel = [&](HandMade m) {
    save(m.values<float>(0, 1));
    return read_tilt_series_info(path_).pixel_A;
  };
  HandMade no_cell(2), no_samples(2), no_z(2), not_a_number(2);
  for (std::size_t a = 0; a < 3; ++a) no_cell.put<float>(40 + 4 * a, 0);
  for (std::size_t a = 0; a < 3; ++a) no_samples.put<std::int32_t>(28 + 4 * a, 0);
  no_z.put<float>(48, 0);
  for (std::size_t a = 0; a < 3; ++a) not_a_number.put<float>(40 + 4 * a, std::nanf(""));
  EXPECT_FALSE(pixel(no_cell));
  EXPECT_FALSE(pixel(no_samples));
  EXPECT_EQ(pixel(no_z), 0.5);
  EXPECT_FALSE(pixel(not_a_number));
}

TEST_F(MrcFiles, OddStampsAreReadBySizesWithANote) {
  const int stamps[][2] = {{0x44, 0x44}, {0x44, 0x41}, {0x44, 0x11}, {0x44, 0x20}, {0, 0}, {0x11, 0x11}};
  for (bool big : {false, true})
    for (const auto& s : stamps) {
      HandMade m(2, big);
      m.stamp(s[0], s[1]);
      save(m.values<float>(0, 1));
      EXPECT_EQ(read()(1, 2, 3), 23.0f) << big << " " << s[0] << " " << s[1];
    }
  HandMade without_map(2);
  std::memset(without_map.bytes.data() + 208, 0, 4);
  save(without_map.values<float>(0, 1));
  EXPECT_EQ(read()(1, 2, 3), 23.0f);
  EXPECT_NE(log::warnings().back().find("MAP"), std::string::npos);
}

TEST_F(MrcFiles, SizesAreNotTrusted) {
  HandMade cut(2);
  cut.values<float>(0, 1).bytes.resize(1024 + 95);
  EXPECT_NE(error_of(cut).find("1119 bytes"), std::string::npos);
  for (const auto& [word, n] : std::initializer_list<std::pair<std::size_t, int>>{
           {0, -4}, {0, 0}, {2, 1 << 30}, {1, 1 << 24}, {2, 1 << 24}}) {
    HandMade m(2);
    m.put<std::int32_t>(4 * word, n);
    EXPECT_NE(error_of(m.values<float>(0, 1)).find(std::to_string(n)), std::string::npos) << word << " " << n;
  }
  HandMade extended(2);
  extended.put<std::int32_t>(92, 1 << 30);
  error_of(extended.values<float>(0, 1));
  HandMade axes(2);
  axes.put<std::int32_t>(64, 3);
  axes.put<std::int32_t>(72, 1);
  EXPECT_NE(error_of(axes.values<float>(0, 1)).find("3 2 1"), std::string::npos);
  HandMade empty(2);
  empty.bytes = "not an MRC file";
  error_of(empty);
  empty.bytes = std::string(5000, 'x');
  error_of(empty);

  HandMade surplus(2);
  surplus.values<float>(0, 1).bytes += "abcd";
  save(surplus);
  EXPECT_EQ(read()(1, 2, 3), 23.0f);
  EXPECT_NE(log::warnings().back().find("4 bytes more"), std::string::npos);
}

TEST_F(MrcFiles, AnglesStandBesideTheFile) {
  save(HandMade(2).values<float>(0, 1));
  write_file_atomically(scratch_ / "a.rawtlt", "-10\n10.5\n\n");
  EXPECT_EQ(read_tilt_series_info(path_).angles, (std::vector<EulerAngles>{{0, -10, 0}, {0, 10.5, 0}}));
  write_file_atomically(scratch_ / "a.rawtlt", "-10\n0\n10\n");
  try {
    read_tilt_series_info(path_);
    FAIL() << "no error";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("3 angles for the 2 projections"), std::string::npos) << e.what();
  }
}

TEST_F(MrcFiles, WhatWeWriteIsReadByMrcfile) {
  const auto section = [](std::size_t i) {
    Array<float, 3> s({1, 5, 7});
    for (std::size_t k = 0; k < s.size(); ++k) s.data()[k] = static_cast<float>(i * 100 + k) / 4;
    return s;
  };
  mrc::write(scratch_ / "s.mrc", {3, 5, 7}, 0.3434, false, section);
  mrc::write(scratch_ / "v.mrc", {3, 5, 7}, 0.3434, true, section);
  for (const char* name : {"s.mrc", "v.mrc"}) {
    const TiltSeriesInfo info = read_tilt_series_info(scratch_ / name);
    EXPECT_NEAR(*info.pixel_A, 0.3434, 1e-7);
    EXPECT_EQ(read_tilt_series_images(scratch_ / name, "", {2, 3})(0, 4, 6), (200.0f + 34) / 4);
  }
  if (!test::python_has("mrcfile")) GTEST_SKIP() << "python3-mrcfile is not installed";
  write_file_atomically(scratch_ / "check.py", R"(
import sys
import mrcfile
import numpy as np
for name, stack in (('s.mrc', True), ('v.mrc', False)):
    path = sys.argv[1] + '/' + name
    assert mrcfile.validate(path), name
    with mrcfile.open(path) as m:
        assert m.is_image_stack() == stack and m.is_volume() != stack, name
        assert abs(m.voxel_size.x - 0.3434) < 1e-6 and abs(m.voxel_size.y - 0.3434) < 1e-6, m.voxel_size
        expected = np.arange(35).reshape(5, 7)
        for i in range(3):
            assert np.array_equal(m.data[i], (i * 100 + expected) / 4)
)");
  EXPECT_EQ(test::run_python(scratch_ / "check.py", scratch_.path()), 0);
}

}  // namespace
}  // namespace aetos::io
