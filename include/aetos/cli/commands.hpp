#pragma once

#include "aetos/cli/command_line.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/stop.hpp"

/// One function per command; each returns the exit code and throws the exceptions of core/error.hpp.
namespace aetos::cli {

int run_command(const CommandLine& line, const Communicator& comm, Stop& stop);
int check_command(const CommandLine& line, const Communicator& comm, Stop& stop);
int convert_command(const CommandLine& line, const Communicator& comm);
int info_command(const CommandLine& line, const Communicator& comm);
int verify_command(const CommandLine& line, const Communicator& comm);
int report_command(const CommandLine& line, const Communicator& comm);
int campaign_command(const CommandLine& line, const Communicator& comm, const Stop& stop);
/// `aetos generate schema|reference`: what configs/schema.json and docs/config.md are made with.
int generate_command(const CommandLine& line, const Communicator& comm);

/// Finds the command and runs it on all ranks; turns exceptions into one message and an exit code: 0 done, 2 bad
/// usage or input, 75 stopped early, 1 any other failure.
int dispatch(const std::vector<std::string>& arguments, const Communicator& comm);

}  // namespace aetos::cli
