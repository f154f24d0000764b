#include "aetos/pipeline/check.hpp"

#include <gtest/gtest.h>

#include "aetos/config/load.hpp"
#include "aetos/core/error.hpp"
#include "support/small_run.hpp"

namespace aetos::test {
namespace {

/// Ranks on other machines have their own memory.
TEST(Check, AsksForTheMemoryOfTheRanksOnThisMachineAlone) {
  TemporaryFolder folder;
  const auto plan = pipeline::make_plan(config::load(write_small_run(folder)));
  constexpr int kMany = 1000000;
  const auto spread = pipeline::check(plan, kMany, 1);
  EXPECT_EQ(spread.at("ranks"), kMany);
  EXPECT_GT(spread.at("bytes_free").get<double>(), 0);
  try {
    pipeline::check(plan, kMany, kMany);
    FAIL() << "terabytes were not refused";
  } catch (const InputError& error) {
    EXPECT_EQ(error.place(), "memory");
  }
}

}  // namespace
}  // namespace aetos::test
