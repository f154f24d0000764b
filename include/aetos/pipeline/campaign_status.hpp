#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aetos/pipeline/campaign.hpp"

/// What is done, running, waiting and failed, and why: from the files, joined with what SLURM knows.
namespace aetos::pipeline::campaign {

enum class State { done, running, waiting, failed, stopped, new_member };
const char* state_name(State state);

/// How a member's last start ended, as the job script or the local runner left it (file `outcome`).
struct Outcome {
  int code = 0;
  int failures = 0;  ///< starts so far that ended neither in 0 nor in 75
  std::string job;   ///< SLURM's number, or "local"
};
std::optional<Outcome> read_outcome(const std::filesystem::path& member_folder);
void write_outcome(const std::filesystem::path& member_folder, const Outcome& outcome);

/// One call of sbatch.
struct Submission {
  std::string job;                   ///< number of the array
  std::string list;                  ///< lists/1.txt
  std::vector<std::string> members;  ///< by array index
};
std::vector<Submission> read_submissions(const std::filesystem::path& folder);
void write_submissions(const std::filesystem::path& folder, const std::vector<Submission>& submissions);

/// What SLURM says of jobs, by "JOB_INDEX".
struct JobState {
  std::string state;   ///< SLURM's word: PENDING, RUNNING, TIMEOUT...
  std::string reason;  ///< of a job that waits
};
struct SchedulerView {
  bool present = false;  ///< squeue answered
  std::string problem;   ///< why it did not
  std::map<std::string, JobState> queued, ended;
};
/// Asks squeue, and sacct or, where accounting is off, scontrol: three calls at most, however many jobs.
SchedulerView ask_scheduler(const std::vector<Submission>& submissions);
/// The parts of it, for tests: one line per job.
std::map<std::string, JobState> parse_squeue(const std::string& text);
std::map<std::string, JobState> parse_sacct(const std::string& text);
std::map<std::string, JobState> parse_scontrol(const std::string& text);

struct MemberStatus {
  State state = State::new_member;
  std::string reason;  ///< why it failed or waits; how far it is
  int stages_done = 0;
  int failures = 0;
  std::string job;  ///< its latest job
};

/// In the order of the members. Done is what the run's own record says, nothing else.
std::vector<MemberStatus> status(const Campaign& campaign, const std::vector<Submission>& submissions,
                                 const SchedulerView& scheduler);

nlohmann::json status_json(const Campaign& campaign, const std::vector<MemberStatus>& members);
std::string format_status(const Campaign& campaign, const std::vector<MemberStatus>& members);

}  // namespace aetos::pipeline::campaign
