// The state of every member: first what its run has on disk, then what SLURM knows of its job.
#include "aetos/pipeline/campaign_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/parallel/run_lock.hpp"
#include "aetos/pipeline/run_folder.hpp"

namespace aetos::pipeline::campaign {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::array kStates{State::done,    State::running, State::waiting,
                             State::stopped, State::failed,  State::new_member};

/// What stands behind `word` in the last line that has it, from the end of a log.
std::string last_line_with(const fs::path& log, const std::string& word) {
  std::ifstream file(log, std::ios::binary);
  if (!file) return {};
  file.seekg(0, std::ios::end);
  const auto size = static_cast<std::streamoff>(file.tellg());
  file.seekg(std::max<std::streamoff>(0, size - 65536));
  std::string found;
  for (std::string line; std::getline(file, line);)
    if (const auto at = line.find(word); at != std::string::npos) found = line.substr(at + word.size());
  return found;
}

std::string last_error(const fs::path& log) {
  return last_line_with(log, "error: ");
}

/// What a run that is at work said last: how far it is, and how long it will take.
std::string last_words(const fs::path& log) {
  const auto line = last_line_with(log, "");
  return line.substr(std::min(line.size(), line.find_first_not_of(' ')));
}

/// Whether the run's own record says that every stage is done.
int stages_done(const Member& member, const fs::path& folder) {
  std::optional<RunRecord> record;
  try {
    record = RunRecord::read(folder / files::run);
  } catch (const InputError&) {
    return 0;  // a broken record counts for nothing; the run itself will say so
  }
  if (!record) return 0;
  return static_cast<int>(std::count_if(member.stages.begin(), member.stages.end(), [&](const auto& stage) {
    const auto found = record->stages.find(stage);
    return found != record->stages.end() && found->second.done;
  }));
}

/// SLURM's words for jobs that ended other than by their own exit code.
std::string why_ended(const std::string& state) {
  static const std::map<std::string, std::string> words{
      {"TIMEOUT", "timed out: SLURM ended it at its time limit"},
      {"CANCELLED", "cancelled"},
      {"OUT_OF_MEMORY", "out of memory"},
      {"NODE_FAIL", "its node failed"},
      {"BOOT_FAIL", "its node did not start"},
      {"DEADLINE", "SLURM's deadline passed"},
      {"PREEMPTED", "preempted"},
      {"REVOKED", "revoked"}};
  const auto found = words.find(state);
  return found == words.end() ? std::string{} : found->second;
}

void judge_outcome(const Outcome& outcome, const fs::path& folder, MemberStatus& status) {
  const auto error = last_error(folder / files::job_log);
  const auto with_error = [&](std::string text) { return error.empty() ? text : text + ": " + error; };
  status.state = State::failed;
  if (outcome.code == 75) {
    status.state = State::stopped;
    status.reason = "stopped early, its work is safe; submit goes on from there";
  } else if (outcome.code == 0) {
    status.reason = "its program ended without an error, but stages are missing";
  } else if (outcome.code == 2) {
    status.reason = with_error("bad input");
  } else if (outcome.code > 128) {
    status.reason = with_error(fmt::format("killed by signal {}", outcome.code - 128));
  } else {
    status.reason = with_error(fmt::format("failed with code {}", outcome.code));
  }
}

/// A member whose job SLURM holds no longer, or that was never submitted.
void judge_files(const fs::path& folder, const SchedulerView& scheduler, MemberStatus& status) {
  const auto outcome = read_outcome(folder);
  const auto ended = scheduler.ended.find(status.job);
  const auto why = ended == scheduler.ended.end() ? std::string{} : why_ended(ended->second.state);
  const RunLock::State lock = RunLock::state_in(folder / files::run);
  if (lock == RunLock::State::held) {
    status.state = State::running;
    status.reason = last_words(folder / files::run / pipeline::files::log);
  } else if (!why.empty()) {
    status.state = State::failed;
    status.reason = why;
  } else if (outcome && (outcome->job == status.job || status.job.empty() || outcome->job == "local")) {
    judge_outcome(*outcome, folder, status);
  } else if (!status.job.empty() && scheduler.present) {
    status.state = State::failed;
    status.reason = "its job is gone and left no outcome (cancelled or killed)";
  } else if (lock == RunLock::State::left && status.job.empty()) {
    status.state = State::stopped;
    status.reason = "killed; submit goes on from what it left";
  } else if (!status.job.empty()) {
    status.state = State::waiting;
    status.reason = "submitted; SLURM cannot be asked here";
  }
}

MemberStatus status_of(const Member& member, const fs::path& folder, const std::string& job,
                       const SchedulerView& scheduler) {
  MemberStatus status;
  status.job = job;
  status.stages_done = stages_done(member, folder);
  if (const auto outcome = read_outcome(folder)) status.failures = outcome->failures;
  if (!member.stages.empty() && status.stages_done == static_cast<int>(member.stages.size())) {
    status.state = State::done;
    return status;
  }
  if (const auto queued = scheduler.queued.find(job); queued != scheduler.queued.end()) {
    const bool pending = queued->second.state == "PENDING";
    status.state = pending ? State::waiting : State::running;
    status.reason = pending ? queued->second.reason : last_words(folder / files::run / pipeline::files::log);
    return status;
  }
  if (!member.problem.empty()) {
    status.state = State::failed;
    status.reason = "bad input: " + member.problem;
    return status;
  }
  judge_files(folder, scheduler, status);
  return status;
}

int count(const std::vector<MemberStatus>& members, State state) {
  return static_cast<int>(
      std::count_if(members.begin(), members.end(), [&](const auto& m) { return m.state == state; }));
}

double remaining_core_hours(const Campaign& campaign, const std::vector<MemberStatus>& members) {
  double hours = 0;
  for (std::size_t i = 0; i < members.size(); ++i)
    if (members[i].state != State::done && campaign.members[i].problem.empty())
      hours += campaign.members[i].cost.value("core_hours", 0.0);
  return hours;
}

}  // namespace

const char* state_name(State state) {
  switch (state) {
    case State::done:
      return "done";
    case State::running:
      return "running";
    case State::waiting:
      return "waiting";
    case State::failed:
      return "failed";
    case State::stopped:
      return "stopped";
    case State::new_member:
      return "new";
  }
  return "";
}

std::optional<Outcome> read_outcome(const fs::path& member_folder) {
  std::ifstream file(member_folder / files::outcome);
  Outcome outcome;
  if (!(file >> outcome.code >> outcome.failures >> outcome.job)) return std::nullopt;
  return outcome;
}

void write_outcome(const fs::path& member_folder, const Outcome& outcome) {
  io::write_file_atomically(member_folder / files::outcome,
                            fmt::format("{} {} {} 0\n", outcome.code, outcome.failures, outcome.job));
}

std::vector<Submission> read_submissions(const fs::path& folder) {
  const auto path = folder / files::record;
  std::vector<Submission> submissions;
  if (!fs::exists(path)) return submissions;
  try {
    const auto json = Json::parse(io::read_text_file(path.string()));
    for (const auto& item : json.at("submissions"))
      submissions.push_back({item.at("job"), item.at("list"), item.at("members")});
  } catch (const Json::exception& e) {
    throw InputError(path.string(), std::string("not the record of a campaign (") + e.what() + ")",
                     "the file that `aetos campaign submit` wrote");
  }
  return submissions;
}

void write_submissions(const fs::path& folder, const std::vector<Submission>& submissions) {
  Json list = Json::array();
  for (const auto& s : submissions)
    list.push_back({{"job", s.job}, {"list", s.list}, {"members", s.members}});
  io::write_file_atomically(folder / files::record, io::json_text(Json{{"submissions", list}}, 1) + "\n");
}

std::vector<MemberStatus> status(const Campaign& campaign, const std::vector<Submission>& submissions,
                                 const SchedulerView& scheduler) {
  std::map<std::string, std::string> latest;
  for (const auto& submission : submissions)
    for (std::size_t i = 0; i < submission.members.size(); ++i)
      latest[submission.members[i]] = fmt::format("{}_{}", submission.job, i);
  std::vector<MemberStatus> result;
  for (const auto& member : campaign.members) {
    const auto job = latest.find(member.name);
    result.push_back(status_of(member, campaign.folder_of(member),
                               job == latest.end() ? std::string{} : job->second, scheduler));
  }
  return result;
}

Json status_json(const Campaign& campaign, const std::vector<MemberStatus>& members) {
  Json rows = Json::array(), counts = Json::object();
  for (const State state : kStates) counts[state_name(state)] = count(members, state);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& m = members[i];
    rows.push_back({{"name", campaign.members[i].name},
                    {"state", state_name(m.state)},
                    {"reason", m.reason},
                    {"job", m.job},
                    {"failures", m.failures},
                    {"stages_done", m.stages_done},
                    {"stages", campaign.members[i].stages.size()}});
  }
  return {{"project", campaign.project},
          {"folder", campaign.folder.string()},
          {"counts", counts},
          {"remaining_core_hours", remaining_core_hours(campaign, members)},
          {"members", rows}};
}

std::string format_status(const Campaign& campaign, const std::vector<MemberStatus>& members) {
  std::string text = fmt::format("campaign {} in {}\n", campaign.project, campaign.folder.string());
  const bool all = members.size() <= 60;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& m = members[i];
    if (!all && (m.state == State::done || m.state == State::waiting || m.state == State::new_member))
      continue;
    text += fmt::format("  {:<40} {:<8} {}/{}  {}\n", campaign.members[i].name, state_name(m.state),
                        m.stages_done, campaign.members[i].stages.size(), m.reason);
  }
  std::string counts;
  for (const State state : kStates)
    if (const int n = count(members, state); n > 0)
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", n, state_name(state));
  return text + fmt::format("{} members: {}; about {:.2g} core-hours to go", members.size(), counts,
                            remaining_core_hours(campaign, members));
}

}  // namespace aetos::pipeline::campaign
