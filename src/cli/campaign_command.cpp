#include <fmt/core.h>

#include "aetos/cli/commands.hpp"
#include "aetos/core/error.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/pipeline/campaign_collect.hpp"
#include "aetos/pipeline/campaign_submit.hpp"

namespace aetos::cli {
namespace {

namespace campaign = pipeline::campaign;
constexpr int kFailed = 1;

campaign::Campaign plan(const CommandLine& line) {
  auto [made, members] = campaign::make(line.arguments[1], line.sets, line.output);
  campaign::write(made, members, line.overwrite);
  return std::move(made);
}

campaign::Campaign planned(const CommandLine& line) {
  return campaign::read(campaign::folder_of(line.arguments[1], line.sets, line.output));
}

std::vector<campaign::MemberStatus> status_of(const campaign::Campaign& c) {
  const auto submissions = campaign::read_submissions(c.folder);
  return campaign::status(c, submissions, campaign::ask_scheduler(submissions));
}

int code_of(const CommandLine& line, const std::vector<campaign::MemberStatus>& members) {
  for (const auto& member : members)
    if (line.strict && member.state == campaign::State::failed) return kFailed;
  return 0;
}

int perform(const CommandLine& line, const Stop& stop) {
  const auto& action = line.arguments[0];
  if (action == "plan") {
    const auto made = plan(line);
    fmt::print("{}\n", line.json ? io::json_text(campaign::to_json(made), 2) : campaign::format_plan(made));
    return 0;
  }
  if (action == "submit") {
    Stop::install_signal_handlers();  // without them, a job could be submitted and its number lost
    const auto made = plan(line);
    fmt::print("{}\n", line.local ? campaign::run_locally(made, *line.local, stop) : campaign::submit(made));
    return 0;
  }
  const auto made = planned(line);
  const auto members = status_of(made);
  if (action == "status") {
    fmt::print("{}\n", line.json ? io::json_text(campaign::status_json(made, members), 2)
                                 : campaign::format_status(made, members));
    return code_of(line, members);
  }
  const auto results = campaign::collect(made, members);
  campaign::write_results(made, results);
  fmt::print("{} members in {}, results.json, results.h5 and index.html\n", results.rows.size(),
             (made.folder / "results.csv").string());
  return code_of(line, members);
}

}  // namespace

int campaign_command(const CommandLine& line, const Communicator& comm, const Stop& stop) {
  const auto& words = line.arguments;
  const bool known = !words.empty() && (words[0] == "plan" || words[0] == "submit" || words[0] == "status" ||
                                        words[0] == "collect");
  if (!known || words.size() != 2)
    throw InputError("command line", known ? std::to_string(words.size() - 1) + " files" : "no known action",
                     "aetos campaign plan|submit|status|collect CONFIG");
  if (comm.size() > 1)
    throw InputError("command line", "a campaign on several ranks",
                     "no mpirun before it: it starts the ranks itself");
  return perform(line, stop);
}

}  // namespace aetos::cli
