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

/// The list of a chunk has a folder per line; an index of the array is a line.
Submission submit_chunk(const Campaign& campaign, std::vector<std::string> names, std::size_t number) {
  Submission chunk{"", fmt::format("lists/{}.txt", number), std::move(names)};
  std::string lines;
  for (const auto& name : chunk.members) lines += (campaign.folder / "members" / name).string() + "\n";
  fs::create_directories(campaign.folder / "lists");
  io::write_file_atomically(campaign.folder / chunk.list, lines);
  const auto log = (campaign.folder / "lists" / "%A_%a.log").string();
  const auto sbatch =
      run_program({"sbatch", "--parsable", fmt::format("--array=0-{}", chunk.members.size() - 1),
                   "--job-name=aetos-" + campaign.project, "--output=" + log,
                   (campaign.folder / files::script).string(), (campaign.folder / chunk.list).string()});
  chunk.job = job_number(sbatch);
  if (chunk.job.empty()) {
    const auto why = first_line(sbatch.errors.empty() ? sbatch.output : sbatch.errors);
    throw ResourceError(fmt::format("sbatch refused {} members ({} to {}): {}", chunk.members.size(),
                                    chunk.members.front(), chunk.members.back(), why));
  }
  return chunk;
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

  std::vector<Submission> made;
  const std::size_t chunk = max_array_size();
  for (std::size_t begin = 0; begin < names.size(); begin += chunk) {
    const std::size_t end = std::min(names.size(), begin + chunk);
    try {
      made.push_back(submit_chunk(campaign,
                                  {names.begin() + static_cast<std::ptrdiff_t>(begin),
                                   names.begin() + static_cast<std::ptrdiff_t>(end)},
                                  submissions.size() + 1));
    } catch (const ResourceError& e) {
      throw ResourceError(fmt::format("{}\n{}{} of {} members submitted; submit again for the rest", e.what(),
                                      said(made), begin, names.size()));
    }
    submissions.push_back(made.back());
    write_submissions(campaign.folder, submissions);
  }
  return said(made) + fmt::format("{} of {} members submitted", names.size(), campaign.members.size());
}

}  // namespace aetos::pipeline::campaign
