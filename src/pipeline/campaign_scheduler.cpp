// What SLURM says of jobs. A fixed number of calls, however many jobs there are.
#include <fmt/format.h>
#include <unistd.h>

#include <set>
#include <sstream>

#include "aetos/pipeline/campaign_process.hpp"
#include "aetos/pipeline/campaign_status.hpp"

namespace aetos::pipeline::campaign {
namespace {

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(line);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// "CANCELLED by 1000" -> "CANCELLED"
std::string first_word(const std::string& text) {
  return text.substr(0, text.find_first_of(" +"));
}

/// "JOB|STATE|REASON" by lines; the reason may be missing.
std::map<std::string, JobState> parse_bars(const std::string& text) {
  std::map<std::string, JobState> jobs;
  for (const auto& line : split(text, '\n')) {
    const auto parts = split(line, '|');
    if (parts.size() >= 2) jobs[parts[0]] = {first_word(parts[1]), parts.size() > 2 ? parts[2] : ""};
  }
  return jobs;
}

std::string field_of(const std::string& line, const std::string& name) {
  const auto at = (" " + line).find(" " + name + "=");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 1;
  return line.substr(begin, line.find(' ', begin) - begin);
}

std::map<std::string, JobState> ask_ended(const std::vector<Submission>& submissions) {
  std::string jobs;
  for (const auto& submission : submissions) jobs += (jobs.empty() ? "" : ",") + submission.job;
  const auto accounting = run_program(
      {"sacct", "--noheader", "--allocations", "--parsable2", "--format=JobID,State", "--jobs=" + jobs});
  if (accounting.code == 0 && !accounting.output.empty()) return parse_sacct(accounting.output);
  return parse_scontrol(run_program({"scontrol", "--oneliner", "show", "job"}).output);
}

}  // namespace

std::map<std::string, JobState> parse_squeue(const std::string& text) {
  return parse_bars(text);
}
std::map<std::string, JobState> parse_sacct(const std::string& text) {
  return parse_bars(text);
}

std::map<std::string, JobState> parse_scontrol(const std::string& text) {
  std::map<std::string, JobState> jobs;
  for (const auto& line : split(text, '\n')) {
    const auto array = field_of(line, "ArrayJobId"), index = field_of(line, "ArrayTaskId");
    const auto job = array.empty() ? field_of(line, "JobId") : array + "_" + index;
    if (!job.empty()) jobs[job] = {field_of(line, "JobState"), field_of(line, "Reason")};
  }
  return jobs;
}

SchedulerView ask_scheduler(const std::vector<Submission>& submissions) {
  SchedulerView view;
  if (submissions.empty()) return view;
  // Not by number: squeue fails for a number that it has forgotten.
  const auto queue = run_program(
      {"squeue", "--noheader", "--array", "--format=%i|%T|%r", fmt::format("--user={}", getuid())});
  view.present = queue.code == 0;
  if (!view.present) {
    view.problem = queue.errors.substr(0, queue.errors.find('\n'));
    return view;
  }
  view.queued = parse_squeue(queue.output);
  view.ended = ask_ended(submissions);
  return view;
}

}  // namespace aetos::pipeline::campaign
