#include <gtest/gtest.h>

#include <algorithm>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/progress.hpp"

namespace aetos {
namespace {

TEST(Log, KeepsEachWarningOnce) {
  log::configure(log::Level::off, false);
  log::warn("window of {} Å is narrow", 3);
  log::warn("window of {} Å is narrow", 3);
  log::info("not a warning");
  const auto& kept = log::warnings();
  EXPECT_EQ(std::count(kept.begin(), kept.end(), "window of 3 Å is narrow"), 1);
  EXPECT_EQ(std::count(kept.begin(), kept.end(), "not a warning"), 0);
  log::configure(log::Level::info, true);
}

TEST(Log, LevelsByName) {
  EXPECT_EQ(log::parse_level("warning", "--log-level"), log::Level::warning);
  try {
    log::parse_level("loud", "--log-level");
    FAIL() << "an unknown level was taken";
  } catch (const InputError& e) {
    EXPECT_EQ(e.place(), "--log-level");
    EXPECT_NE(std::string(e.what()).find("debug, info, warning"), std::string::npos);
  }
}

TEST(Progress, DurationsAreReadable) {
  EXPECT_EQ(format_duration(4), "4.0 s");
  EXPECT_EQ(format_duration(12.3), "12 s");
  EXPECT_EQ(format_duration(59.7), "1 min 00 s");
  EXPECT_EQ(format_duration(130), "2 min 10 s");
  EXPECT_EQ(format_duration(3780), "1 h 03 min");
}

}  // namespace
}  // namespace aetos
