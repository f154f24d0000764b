#include <cstdlib>

#include "aetos/cli/commands.hpp"
#include "aetos/config/load.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/pipeline/run.hpp"

namespace aetos::cli {
namespace {

const std::string& config_argument(const CommandLine& line) {
  if (line.arguments.size() != 1)
    throw InputError("command line", std::to_string(line.arguments.size()) + " files after '" + line.command + "'",
                     "one config: aetos " + line.command + " CONFIG");
  return line.arguments.front();
}

/// `srun` without a working PMI starts copies that each believe they are alone; they would all write the same files.
void refuse_lonely_copies(const Communicator& comm) {
  const char* tasks = std::getenv("SLURM_NTASKS");
  if (tasks == nullptr || std::atoi(tasks) <= 1 || comm.size() > 1) return;
  throw InputError("SLURM", std::string("SLURM_NTASKS is ") + tasks + ", but this process is alone in MPI",
                   "srun --mpi=pmix aetos ..., or mpirun aetos ... (for one rank on purpose: SLURM_NTASKS=1)");
}

/// SLURM knows when the job ends; a minute before, work is brought to safety.
void apply_time_limit(const CommandLine& line, Stop& stop) {
  if (line.time_limit) {
    stop.set_time_limit(*line.time_limit);
    return;
  }
  const char* end = std::getenv("SLURM_JOB_END_TIME");
  if (end == nullptr) return;
  const auto left = std::chrono::seconds(std::atoll(end)) - std::chrono::system_clock::now().time_since_epoch();
  const auto usable = std::chrono::duration<double>(left) - std::chrono::seconds(60);
  if (usable.count() > 0) stop.set_time_limit(usable);
}

}  // namespace

int run_command(const CommandLine& line, const Communicator& comm, Stop& stop) {
  Stop::install_signal_handlers();
  refuse_lonely_copies(comm);
  apply_time_limit(line, stop);
  const std::string& path = config_argument(line);
  config::Master master;
  comm.agree([&] { master = config::load(path, line.sets, config::stages_of_command(line.command), line.output); });
  const auto if_present = line.resume      ? pipeline::IfPresent::resume
                          : line.overwrite ? pipeline::IfPresent::overwrite
                                           : pipeline::IfPresent::refuse;
  pipeline::run(comm, stop, std::move(master), if_present);
  return 0;
}

}  // namespace aetos::cli
