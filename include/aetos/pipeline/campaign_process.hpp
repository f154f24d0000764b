#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "aetos/parallel/stop.hpp"

/// Other programs: SLURM's commands, and AETOS itself. Arguments go to them as they are; no shell reads them.
namespace aetos::pipeline::campaign {

struct Finished {
  int code = -1;       ///< exit code; 128 + the signal's number; 127: the program is not there
  std::string output;  ///< standard output
  std::string errors;  ///< standard error
};

/// Runs a program found on PATH and waits for it. Throws ResourceError only where the system has no room for
/// another process.
Finished run_program(const std::vector<std::string>& arguments);

/// The same with output and errors appended to a file. Passes USR1 on to it when `stop` is requested, and
/// waits on. `extra` are further variables, NAME=VALUE.
int run_program_logged(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                       const Stop& stop, const std::vector<std::string>& extra = {});

/// The path of this program, for job scripts.
std::string this_program();

}  // namespace aetos::pipeline::campaign
