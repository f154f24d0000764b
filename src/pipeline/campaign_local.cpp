// A campaign without SLURM: its members one after the other on this machine.
#include <fmt/format.h>

#include <thread>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/parallel/run_lock.hpp"
#include "aetos/pipeline/campaign_process.hpp"
#include "aetos/pipeline/campaign_submit.hpp"
#include "aetos/pipeline/plan.hpp"

namespace aetos::pipeline::campaign {
namespace {

namespace fs = std::filesystem;

constexpr int kBadInput = 2, kStoppedEarly = 75;

std::vector<std::string> command_line(const fs::path& folder, int ranks) {
  std::vector<std::string> words;
  if (ranks > 1) {
    words = {"mpirun", "-n", std::to_string(ranks)};
    if (ranks > static_cast<int>(std::thread::hardware_concurrency())) words.emplace_back("--oversubscribe");
  }
  const auto run = folder / files::run;
  for (const auto& word : {this_program(), std::string("run"), (folder / files::config).string(),
                           std::string("--output"), run.string()})
    words.push_back(word);
  if (fs::exists(run / pipeline::files::record)) words.emplace_back("--resume");
  return words;
}

/// Starts a member until it is done, fails for good, or everything is told to stop. Returns its last code.
int run_member(const Campaign& campaign, const Member& member, int failures, int ranks, const Stop& stop) {
  const auto folder = campaign.folder_of(member);
  for (int early = 0;;) {
    const int code = run_program_logged(command_line(folder, ranks), folder / files::job_log, stop);
    if (code != 0 && code != kStoppedEarly && !stop.requested()) ++failures;
    write_outcome(folder, {code, failures, "local"});
    if (code == 0 || code == kBadInput || stop.requested()) return code;
    // Nobody here asked it to stop; it may have a time limit of its own. Not for ever, though.
    if (code == kStoppedEarly ? ++early > 20 : failures > campaign.options.max_retries) return code;
    log::info("{}: {}, again", member.name, code == kStoppedEarly ? "stopped early" : "failed");
  }
}

}  // namespace

std::string run_locally(const Campaign& campaign, int ranks, const Stop& stop) {
  const RunLock lock(campaign.folder);
  const auto submissions = read_submissions(campaign.folder);
  const auto before = status(campaign, submissions, ask_scheduler(submissions));
  const auto chosen = startable(campaign, before);
  int done = 0;
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const auto& member = campaign.members[chosen[k]];
    log::info("{} of {}: {}", k + 1, chosen.size(), member.name);
    const int code = run_member(campaign, member, before[chosen[k]].failures, ranks, stop);
    if (stop.requested())
      throw Interrupted(fmt::format("campaign stopped by {} (submit it again to go on)", stop.reason()));
    if (code == 0) ++done;
    if (code != 0)
      log::warn("{} failed with code {}; see {}", member.name, code,
                (campaign.folder_of(member) / files::job_log).string());
  }
  return fmt::format("{} members run, {} of them done", chosen.size(), done);
}

}  // namespace aetos::pipeline::campaign
