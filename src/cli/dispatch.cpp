#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <new>
#include <thread>

#include "aetos/cli/commands.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/version.hpp"

namespace aetos::cli {
namespace {

constexpr int kBadInput = 2, kStoppedEarly = 75, kFailed = 1;

struct Failure {
  int code;
  std::string message;
};

/// Every rank that fails comes here. Where all of them do, one speaks and all end in good order; where some
/// are still in a call that waits for this rank, the whole run is ended after a moment, for nobody would ever
/// wake them.
int end_together(const Communicator& comm, const Failure& failure) {
  MPI_Request request;
  MPI_Ibarrier(comm.handle(), &request);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  int all_here = 0;
  while (!all_here && std::chrono::steady_clock::now() < give_up) {
    MPI_Test(&request, &all_here, MPI_STATUS_IGNORE);
    if (!all_here) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (all_here) {
    if (comm.is_root()) log::write(log::Level::error, failure.message);
    log::close_file();
    return failure.code;
  }
  fmt::print(stderr, "rank {}: {}\n", comm.rank(), failure.message);
  std::fflush(stderr);
  MPI_Abort(comm.handle(), failure.code);
  return failure.code;
}

int run_one(const CommandLine& line, const Communicator& comm) {
  using Command = std::function<int()>;
  Stop stop;
  const Command run = [&] { return run_command(line, comm, stop); };
  const std::map<std::string, Command> commands{
      {"run", run},
      {"simulate", run},
      {"preprocess", run},
      {"reconstruct", run},
      {"trace", run},
      {"compare", run},
      {"analyze", run},
      {"campaign", [&] { return campaign_command(line, comm, stop); }},
      {"check", [&] { return check_command(line, comm, stop); }},
      {"convert", [&] { return convert_command(line, comm); }},
      {"info", [&] { return info_command(line, comm); }},
      {"verify", [&] { return verify_command(line, comm); }},
      {"report", [&] { return report_command(line, comm); }},
      {"generate", [&] { return generate_command(line, comm); }},
  };
  const auto found = commands.find(line.command);
  if (found != commands.end()) return found->second();
  throw InputError(
      "command line", "unknown command '" + line.command + "'",
      "run, simulate, preprocess, reconstruct, trace, compare, campaign, check, convert, info, verify or report");
}

int handle(const std::vector<std::string>& arguments, const Communicator& comm) {
  log::configure(log::Level::info, comm.is_root());
  const CommandLine line = parse_command_line(arguments);
  if (line.version) {
    if (comm.is_root()) fmt::print("aetos {} ({}, {})\n", kVersion, kCommit, kCompiler);
    return 0;
  }
  if (line.help || line.command == "help" || line.command.empty()) {
    if (comm.is_root()) fmt::print("{}", help_text(line.command));
    return line.help || line.command == "help" ? 0 : kBadInput;
  }
  log::configure(log::parse_level(line.log_level, "--log-level"), comm.is_root());
  return run_one(line, comm);
}

}  // namespace

int dispatch(const std::vector<std::string>& arguments, const Communicator& comm) {
  Failure failure;
  try {
    return handle(arguments, comm);
  } catch (const InputError& e) {
    failure = {kBadInput, std::string("error: ") + e.what()};
  } catch (const Interrupted& e) {
    failure = {kStoppedEarly,
               std::string(e.what()) + "; what was done is safe on disk, --resume goes on from there"};
  } catch (const std::bad_alloc&) {
    failure = {kFailed, "error: out of memory"};
  } catch (const std::exception& e) {
    failure = {kFailed, std::string("error: ") + e.what()};
  }
  return end_together(comm, failure);
}

}  // namespace aetos::cli
