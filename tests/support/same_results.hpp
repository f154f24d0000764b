#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "aetos/io/tilt_series.hpp"
#include "support/process.hpp"

namespace aetos::test {

/// Two run folders hold the same bits: every dataset, the atoms, and the numbers made from them.
inline void expect_same_results(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto series_a = (a / "tilt_series.h5").string(), series_b = (b / "tilt_series.h5").string();
  const auto info = io::read_tilt_series_info(series_a);
  EXPECT_EQ(info.signals, io::read_tilt_series_info(series_b).signals);
  EXPECT_FALSE(info.signals.empty());
  for (const auto& signal : info.signals) {
    const auto x = io::read_tilt_series_images(series_a, signal, {0, info.tilts});
    const auto y = io::read_tilt_series_images(series_b, signal, {0, info.tilts});
    EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin(), y.end())) << signal;
  }
  const auto volume_a = (a / "volume.h5").string(), volume_b = (b / "volume.h5").string();
  const auto shape = io::read_volume_info(volume_a).shape;
  EXPECT_EQ(io::read_volume_info(volume_a).r_history, io::read_volume_info(volume_b).r_history);
  const auto x = io::read_volume_planes(volume_a, {0, shape[0]}),
             y = io::read_volume_planes(volume_b, {0, shape[0]});
  EXPECT_TRUE(std::equal(x.begin(), x.end(), y.begin(), y.end()));
  EXPECT_EQ(read_file(a / "atoms.extxyz"), read_file(b / "atoms.extxyz"));
  EXPECT_EQ(read_file(a / "comparison.json"), read_file(b / "comparison.json"));
  EXPECT_EQ(read_file(a / "analysis.json"), read_file(b / "analysis.json"));
  EXPECT_FALSE(read_file(a / "analysis.json").empty());
}

}  // namespace aetos::test
