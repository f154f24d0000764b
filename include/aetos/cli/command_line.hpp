#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aetos::cli {

/// What stood on the command line. Options may stand before or after the command.
struct CommandLine {
  std::string command;
  std::vector<std::string> arguments;                     ///< after the command: CONFIG, FILE, IN OUT...
  std::vector<std::pair<std::string, std::string>> sets;  ///< --set KEY=VALUE, in order
  std::optional<std::string> output;
  bool resume = false, overwrite = false, json = false, help = false, version = false;
  bool convergence = false;  ///< check: what each setting of the simulation costs in accuracy
  bool strict = false;       ///< campaign status, collect: exit 1 if a member failed
  std::optional<int> local;  ///< campaign submit: on this machine, that many ranks per member
  std::optional<std::chrono::duration<double>> time_limit;
  std::string log_level = "info";
};

/// Throws InputError for an unknown option or a bad value.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

/// SLURM's notation: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes,
/// days-hours:minutes:seconds. Throws InputError otherwise.
std::chrono::duration<double> parse_time_limit(const std::string& text);

/// Help for all commands, or for one.
std::string help_text(const std::string& command);

}  // namespace aetos::cli
