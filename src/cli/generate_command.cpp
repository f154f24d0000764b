#include <fmt/core.h>

#include "aetos/cli/commands.hpp"
#include "aetos/config/load.hpp"
#include "aetos/core/error.hpp"

namespace aetos::cli {

int generate_command(const CommandLine& line, const Communicator& comm) {
  comm.agree([&] {
    if (!comm.is_root()) return;
    const std::string what = line.arguments.size() == 1 ? line.arguments[0] : std::string{};
    if (what == "schema")
      fmt::print("{}", config::json_schema());
    else if (what == "reference")
      fmt::print("{}", config::markdown_reference());
    else
      throw InputError("command line", "'" + what + "'", "aetos generate schema|reference");
  });
  return 0;
}

}  // namespace aetos::cli
