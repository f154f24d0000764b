#include "aetos/parallel/stop.hpp"

#include <gtest/gtest.h>
#include <signal.h>

namespace aetos {
namespace {

class Signals : public ::testing::TestWithParam<std::pair<int, const char*>> {
 protected:
  void TearDown() override { Stop::forget_signals(); }
};

TEST_P(Signals, AreRememberedByName) {
  Stop::install_signal_handlers();
  const Stop stop;
  EXPECT_FALSE(stop.requested());
  raise(GetParam().first);
  EXPECT_TRUE(stop.requested());
  EXPECT_STREQ(stop.reason(), GetParam().second);
  raise(GetParam().first);  // a second one changes nothing
  EXPECT_TRUE(stop.requested());
}

INSTANTIATE_TEST_SUITE_P(All, Signals,
                         ::testing::Values(std::pair{SIGTERM, "SIGTERM"}, std::pair{SIGINT, "SIGINT"},
                                           std::pair{SIGUSR1, "SIGUSR1"}));

TEST(Stop, TimeLimitCountsFromTheStartOfTheProcess) {
  Stop stop;
  EXPECT_FALSE(stop.requested());
  stop.set_time_limit(std::chrono::hours(24 * 365));
  EXPECT_FALSE(stop.requested());
  stop.set_time_limit(std::chrono::duration<double>(1e300));
  EXPECT_FALSE(stop.requested());
  stop.set_time_limit(std::chrono::nanoseconds(1));  // this process is older
  EXPECT_TRUE(stop.requested());
  EXPECT_STREQ(stop.reason(), "the time limit");
}

}  // namespace
}  // namespace aetos
