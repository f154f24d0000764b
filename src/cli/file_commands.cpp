#include <fmt/core.h>

#include "aetos/cli/commands.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/convert.hpp"
#include "aetos/io/inspect.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/pipeline/report.hpp"
#include "aetos/pipeline/verify.hpp"

namespace aetos::cli {
namespace {

void expect_arguments(const CommandLine& line, std::size_t count, const char* usage) {
  if (line.arguments.size() != count)
    throw InputError("command line", std::to_string(line.arguments.size()) + " argument(s) after '" + line.command + "'",
                     usage);
}

}  // namespace

int info_command(const CommandLine& line, const Communicator& comm) {
  comm.agree([&] {
    if (!comm.is_root()) return;
    expect_arguments(line, 1, "aetos info FILE");
    const auto description = io::describe_file(line.arguments[0]);
    fmt::print("{}\n", line.json ? io::json_text(description, 2) : io::format_description(description));
  });
  return 0;
}

int convert_command(const CommandLine& line, const Communicator& comm) {
  comm.agree([&] {
    if (!comm.is_root()) return;
    expect_arguments(line, 2, "aetos convert IN OUT");
    if (std::filesystem::exists(line.arguments[1]) && !line.overwrite)
      throw InputError(line.arguments[1], "exists", "--overwrite to replace it, or another name");
    for (const auto& note : io::convert_file(line.arguments[0], line.arguments[1])) log::info("note: {}", note);
  });
  return 0;
}

int verify_command(const CommandLine& line, const Communicator& comm) {
  std::int64_t problems = 0;
  comm.agree([&] {
    if (!comm.is_root()) return;
    expect_arguments(line, 1, "aetos verify DIR");
    const auto result = pipeline::verify(line.arguments[0]);
    for (const auto& problem : result.problems) fmt::print("{}\n", problem);
    fmt::print("{} of {} files are as the run recorded them\n", result.files - result.problems.size(), result.files);
    problems = static_cast<std::int64_t>(result.problems.size());
  });
  return comm.sum(problems) > 0 ? 1 : 0;
}

int report_command(const CommandLine& line, const Communicator& comm) {
  comm.agree([&] {
    if (!comm.is_root()) return;
    expect_arguments(line, 1, "aetos report DIR");
    const std::filesystem::path folder = line.arguments[0];
    if (!std::filesystem::exists(folder / "summary.json"))
      throw InputError(folder.string(), "no summary.json", "the folder of a run");
    pipeline::write_report(folder);
    pipeline::record_report(folder);
    fmt::print("{}\n", (folder / "report.html").string());
  });
  return 0;
}

}  // namespace aetos::cli
