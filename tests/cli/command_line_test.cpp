#include "aetos/cli/command_line.hpp"

#include <gtest/gtest.h>

#include "aetos/core/error.hpp"

namespace aetos::cli {
namespace {

TEST(TimeLimit, FollowsSlurmsNotation) {
  EXPECT_EQ(parse_time_limit("30").count(), 30 * 60);
  EXPECT_EQ(parse_time_limit("30:00").count(), 30 * 60);
  EXPECT_EQ(parse_time_limit("1:30:00").count(), 90 * 60);
  EXPECT_EQ(parse_time_limit("2-12").count(), 60 * 3600);
  EXPECT_EQ(parse_time_limit("2-12:30").count(), 60.5 * 3600);
  EXPECT_EQ(parse_time_limit("2-12:00:05").count(), 60 * 3600 + 5);
  for (const char* bad : {"abc", "", "1:2:3:4", "-5", "0", "1-", "3.5", "10m"})
    EXPECT_THROW(parse_time_limit(bad), InputError) << bad;
}

TEST(CommandLine, TakesOptionsBeforeAndAfterTheCommand) {
  const auto line = parse_command_line({"--output", "there", "run", "a.yaml", "--set", "a.b=1", "--set", "c=x=y"});
  EXPECT_EQ(line.command, "run");
  ASSERT_EQ(line.arguments.size(), 1u);
  EXPECT_EQ(line.arguments[0], "a.yaml");
  EXPECT_EQ(line.output, "there");
  ASSERT_EQ(line.sets.size(), 2u);
  EXPECT_EQ(line.sets[1], (std::pair<std::string, std::string>{"c", "x=y"}));
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(parse_command_line({"run", "a.yaml", "--resum"}), InputError);  // no guessing of shortened names
  EXPECT_THROW(parse_command_line({"run", "a.yaml", "--set", "novalue"}), InputError);
  EXPECT_THROW(parse_command_line({"run", "a.yaml", "--resume", "--overwrite"}), InputError);
}

}  // namespace
}  // namespace aetos::cli
