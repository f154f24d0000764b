// Job arrays for SLURM.
#include "aetos/pipeline/campaign_submit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/parallel/run_lock.hpp"
#include "aetos/pipeline/campaign_process.hpp"

namespace aetos::pipeline::campaign {
namespace {

namespace fs = std::filesystem;

/// "123" or "123;cluster", as `sbatch --parsable` prints it.
std::string job_number(const Finished& sbatch) {
  std::smatch match;
  const bool fits = std::regex_search(sbatch.output, match, std::regex("^([0-9]+)(;[^\n]*)?\n?$"));
  return sbatch.code == 0 && fits ? match[1].str() : std::string{};
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string said(const std::vector<Submission>& made) {
  std::string text;
  for (const auto& s : made)
    text += fmt::format("job {}: {} members, {} to {}\n", s.job, s.members.size(), s.members.front(),
                        s.members.back());
  return text;
}

/// What sbatch says where the user, not the array, has too many jobs: another time there is room for them.
bool is_full(const std::string& why) {
  static const std::regex words("submit limit|MaxSubmit|MaxJobs|temporarily unable|job count",
                                std::regex::icase);
  return std::regex_search(why, words);
}

/// sbatch's refusal.
struct Refused : ResourceError {
  Refused(const std::string& what, const std::string& why)
      : ResourceError(what + ": " + why), full(is_full(why)) {}
  bool full;
};

/// The list of a chunk has a folder per line; an index of the array is a line.
Submission submit_chunk(const Campaign& campaign, std::vector<std::string> names, std::size_t number) {
  Submission chunk{"", fmt::format("lists/{}.txt", number), std::move(names)};
  std::string lines;
  for (const auto& name : chunk.members) lines += (campaign.folder / "members" / name).string() + "\n";
  fs::create_directories(campaign.folder / "lists");
  io::write_file_atomically(campaign.folder / chunk.list, lines);
  const auto log = (campaign.folder / "lists" / "%A_%a.log").string();
  const auto at_once = campaign.options.slurm.at_once;
  const auto array = fmt::format("--array=0-{}{}", chunk.members.size() - 1,
                                 at_once ? fmt::format("%{}", *at_once) : std::string());
  const auto sbatch =
      run_program({"sbatch", "--parsable", array, "--job-name=aetos-" + campaign.project, "--output=" + log,
                   (campaign.folder / files::script).string(), (campaign.folder / chunk.list).string()});
  chunk.job = job_number(sbatch);
  if (chunk.job.empty()) {
    const auto why = first_line(sbatch.errors.empty() ? sbatch.output : sbatch.errors);
    throw Refused(fmt::format("sbatch refused {} members ({} to {})", chunk.members.size(),
                              chunk.members.front(), chunk.members.back()),
                  why);
  }
  return chunk;
}

/// A job that writes the table once these arrays have ended, however they did.
std::string submit_collector(const Campaign& campaign, const std::vector<std::string>& arrays) {
  std::string after = "--dependency=afterany";
  for (const auto& job : arrays) after += ":" + job;
  const auto log = (campaign.folder / "lists" / "collect-%j.log").string();
  const auto sbatch =
      run_program({"sbatch", "--parsable", after, "--job-name=aetos-collect-" + campaign.project,
                   "--output=" + log, (campaign.folder / files::collector).string()});
  const auto job = job_number(sbatch);
  // The results do not depend on it, so this is no reason to fail.
  return job.empty()
             ? "no job for the table (" + first_line(sbatch.errors) + "); use: aetos campaign collect\n"
             : "job " + job + ": the table, when they have ended\n";
}

/// Numbers of this campaign's arrays that are queued or running.
std::vector<std::string> live_arrays(const std::vector<Submission>& submissions,
                                     const SchedulerView& scheduler) {
  std::vector<std::string> live;
  for (const auto& submission : submissions) {
    const auto first = scheduler.queued.lower_bound(submission.job + "_");
    if (first != scheduler.queued.end() && first->first.starts_with(submission.job + "_"))
      live.push_back(submission.job);
  }
  return live;
}

}  // namespace

std::size_t max_array_size() {
  const auto shown = run_program({"scontrol", "show", "config"});
  std::smatch match;
  const std::regex line("MaxArraySize\\s*=\\s*([0-9]{1,9})");
  if (!std::regex_search(shown.output, match, line)) return 1001;
  return std::max<std::size_t>(1, std::stoul(match[1]));
}

std::vector<std::size_t> startable(const Campaign& campaign, const std::vector<MemberStatus>& members) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto state = members[i].state;
    const bool idle = state == State::new_member || state == State::stopped || state == State::failed;
    const bool may =
        campaign.members[i].problem.empty() && members[i].failures <= campaign.options.max_retries;
    if (idle && may) chosen.push_back(i);
  }
  return chosen;
}

std::string submit(const Campaign& campaign) {
  const RunLock lock(campaign.folder);
  auto submissions = read_submissions(campaign.folder);
  const auto scheduler = ask_scheduler(submissions);
  if (!submissions.empty() && !scheduler.present)
    throw ResourceError("squeue does not say which members are queued (" + scheduler.problem +
                        "); nothing was submitted");
  std::vector<std::string> names;
  for (const auto i : startable(campaign, status(campaign, submissions, scheduler)))
    names.push_back(campaign.members[i].name);
  if (names.empty()) return "nothing to submit: every member is done, queued, or failed for good";

  auto arrays = live_arrays(submissions, scheduler);
  std::vector<Submission> made;
  std::size_t chunk = max_array_size();
  for (std::size_t begin = 0; begin < names.size();) {
    const std::size_t end = std::min(names.size(), begin + chunk);
    try {
      made.push_back(submit_chunk(campaign,
                                  {names.begin() + static_cast<std::ptrdiff_t>(begin),
                                   names.begin() + static_cast<std::ptrdiff_t>(end)},
                                  submissions.size() + 1));
    } catch (const Refused& e) {
      // There may still be room for a part of it.
      if (e.full && end - begin > 1) {
        chunk = (end - begin) / 2;
        continue;
      }
      const auto table = made.empty() ? std::string() : submit_collector(campaign, arrays);
      throw ResourceError(fmt::format("{}\n{}{}{} of {} members submitted; submit again for the rest",
                                      e.what(), said(made), table, begin, names.size()));
    }
    submissions.push_back(made.back());
    write_submissions(campaign.folder, submissions);
    arrays.push_back(made.back().job);
    begin = end;
  }
  const auto table = submit_collector(campaign, arrays);
  return said(made) + table +
         fmt::format("{} of {} members submitted", names.size(), campaign.members.size());
}

}  // namespace aetos::pipeline::campaign
