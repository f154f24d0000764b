#include <fmt/core.h>

#include "aetos/cli/commands.hpp"
#include "aetos/config/load.hpp"
#include "aetos/core/error.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/pipeline/check.hpp"
#include "aetos/pipeline/check_convergence.hpp"

namespace aetos::cli {

namespace {

constexpr int kStoppedEarly = 75;

int convergence(const CommandLine& line, const Communicator& comm, Stop& stop) {
  Stop::install_signal_handlers();
  if (line.time_limit) stop.set_time_limit(*line.time_limit);
  pipeline::Plan plan;
  comm.agree(
      [&] { plan = pipeline::make_plan(config::load(line.arguments.front(), line.sets, {}, line.output)); });
  const auto study = pipeline::check_convergence(comm, stop, plan);
  if (comm.is_root())
    fmt::print("{}\n", line.json ? io::json_text(study, 2) : pipeline::format_convergence(study));
  return study["complete"].get<bool>() ? 0 : kStoppedEarly;
}

}  // namespace

int check_command(const CommandLine& line, const Communicator& comm, Stop& stop) {
  if (line.arguments.size() != 1) throw InputError("command line", "no config", "aetos check CONFIG");
  if (line.convergence) return convergence(line, comm, stop);
  const int here = comm.on_this_machine().size();
  comm.agree([&] {
    if (!comm.is_root()) return;
    const auto plan = pipeline::make_plan(config::load(line.arguments.front(), line.sets, {}, line.output));
    const auto result = pipeline::check(plan, comm.size(), here);
    fmt::print("{}\n", line.json ? io::json_text(result, 2) : pipeline::format_check(result));
  });
  return 0;
}

}  // namespace aetos::cli
