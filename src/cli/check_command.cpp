#include <fmt/core.h>

#include "aetos/cli/commands.hpp"
#include "aetos/config/load.hpp"
#include "aetos/core/error.hpp"
#include "aetos/pipeline/check.hpp"

namespace aetos::cli {

int check_command(const CommandLine& line, const Communicator& comm) {
  comm.agree([&] {
    if (!comm.is_root()) return;
    if (line.arguments.size() != 1) throw InputError("command line", "no config", "aetos check CONFIG");
    const auto plan =
        pipeline::make_plan(config::load(line.arguments.front(), line.sets, {}, line.output));
    const auto result = pipeline::check(plan, comm.size());
    fmt::print("{}\n", line.json ? result.dump(2) : pipeline::format_check(result));
  });
  return 0;
}

}  // namespace aetos::cli
