#include "aetos/parallel/run_lock.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"

namespace aetos {
namespace {

/// Who holds a lock.
struct Owner {
  std::string host;
  long process = 0;
  unsigned long long start_time = 0;  ///< clock ticks since boot (proc(5), stat, field 22)
  std::string boot;                   ///< the kernel's random id of this boot
  long job = 0, start = 0;            ///< SLURM's number of the job, 0 without; its start, counted from 0
};

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof(name) - 1);
  return name;
}

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id.empty() ? "unknown" : id;
}

/// Start time of a process that runs; nothing for one that is gone or is only waiting to be reaped.
std::optional<unsigned long long> start_time_of(long process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  if (!std::getline(file, line)) return {};
  // The second field, the program's name in brackets, may itself hold blanks and brackets.
  const std::size_t bracket = line.rfind(')');
  if (bracket == std::string::npos) return {};
  std::istringstream fields(line.substr(bracket + 1));
  std::string field;
  for (int number = 3; fields >> field; ++number) {
    if (number == 3 && (field == "Z" || field == "X")) return {};
    if (number == 22) return std::strtoull(field.c_str(), nullptr, 10);
  }
  return {};
}

long number_in_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? 0 : std::atol(value);
}

Owner this_process() {
  const long process = ::getpid();
  return {host_name(),
          process,
          start_time_of(process).value_or(0),
          boot_id(),
          number_in_environment("SLURM_JOB_ID"),
          number_in_environment("SLURM_RESTART_COUNT")};
}

std::string to_text(const Owner& owner) {
  auto text = fmt::format("host {}\nprocess {}\nstart_time {}\nboot {}\n", owner.host, owner.process,
                          owner.start_time, owner.boot);
  if (owner.job > 0) text += fmt::format("job {} {}\n", owner.job, owner.start);
  return text;
}

std::string read_text(int descriptor) {
  char text[1024];
  const ssize_t got = ::pread(descriptor, text, sizeof(text), 0);
  return {text, got > 0 ? static_cast<std::size_t>(got) : 0};
}

std::optional<Owner> parse(const std::string& text) {
  std::istringstream lines(text);
  std::string host_key, process_key, start_key, boot_key;
  Owner owner;
  lines >> host_key >> owner.host >> process_key >> owner.process >> start_key >> owner.start_time >>
      boot_key >> owner.boot;
  if (!lines || host_key != "host" || process_key != "process" || start_key != "start_time" ||
      boot_key != "boot")
    return {};
  std::string job_key;
  if (!(lines >> job_key >> owner.job >> owner.start) || job_key != "job") owner.job = 0;
  return owner;
}

/// SLURM starts a job again only once its former start is over on every node.
bool is_former_start_of_this_job(const Owner& owner) {
  const Owner own = this_process();
  return owner.job > 0 && owner.job == own.job && owner.start < own.start;
}

bool is_alive(const Owner& owner) {
  return owner.boot == boot_id() && start_time_of(owner.process) == owner.start_time;
}

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& why) {
  throw ResourceError(fmt::format("{} {}", path.parent_path().string(), why));
}

[[noreturn]] void refuse_in_use(const std::filesystem::path& path, const std::optional<Owner>& owner) {
  if (!owner) refuse(path, "is in use by another run");
  refuse(path, fmt::format("is in use by process {} on host {}", owner->process, owner->host));
}

/// Whether the open file still is the one under its name (its holder may have removed it meanwhile).
bool is_current(int descriptor, const std::filesystem::path& path) {
  struct stat open_file {
  }, named_file{};
  return ::fstat(descriptor, &open_file) == 0 && ::stat(path.c_str(), &named_file) == 0 &&
         open_file.st_ino == named_file.st_ino && open_file.st_dev == named_file.st_dev;
}

/// Takes over what a dead run left, or throws.
void judge_former_owner(const std::filesystem::path& path, const std::string& text) {
  const auto owner = parse(text);
  if (!owner) {
    log::info("the lock of {} does not say whose it is; no process holds it, so it is taken over",
              path.parent_path().string());
    return;
  }
  if (owner->host != host_name() && is_former_start_of_this_job(*owner)) {
    log::info("the lock of {} was left on host {} by an earlier start of this job; it is taken over",
              path.parent_path().string(), owner->host);
    return;
  }
  if (owner->host != host_name())
    refuse(path, fmt::format("is locked by process {} on host {}. If no run works there any more, remove {}",
                             owner->process, owner->host, path.string()));
  // Without flock (some network file systems) a live owner shows only here.
  if (is_alive(*owner)) refuse_in_use(path, owner);
  log::info("the lock of {} was left by process {}, which is gone; it is taken over",
            path.parent_path().string(), owner->process);
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder) : path_(folder / kFileName) {
  const auto cannot_lock = [&](int cause) {
    refuse(path_, fmt::format("cannot be locked: {}: {}", kFileName, std::strerror(cause)));
  };
  for (;;) {
    file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    const bool is_new = file_.is_open();
    if (!is_new && errno == EEXIST) {
      file_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
      if (!file_.is_open() && errno == ENOENT) continue;  // its holder has just removed it
    }
    if (!file_.is_open()) cannot_lock(errno);
    if (::flock(file_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      refuse_in_use(path_, parse(read_text(file_.number())));
    if (!is_current(file_.number(), path_)) continue;
    if (!is_new) judge_former_owner(path_, read_text(file_.number()));
    break;
  }
  const std::string text = to_text(this_process());
  const auto size = static_cast<ssize_t>(text.size());
  if (::ftruncate(file_.number(), 0) != 0 || ::pwrite(file_.number(), text.data(), text.size(), 0) != size) {
    const int cause = errno;
    ::unlink(path_.c_str());
    cannot_lock(cause);
  }
  ::fsync(file_.number());
}

RunLock::~RunLock() {
  ::unlink(path_.c_str());  // before the descriptor closes and lets go of the flock
}

RunLock::State RunLock::state_in(const std::filesystem::path& folder) {
  const FileDescriptor file(::open((folder / kFileName).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return State::none;
  const bool free = ::flock(file.number(), LOCK_SH | LOCK_NB) == 0;
  if (!free && errno == EWOULDBLOCK) return State::held;
  const auto owner = parse(read_text(file.number()));
  const bool held = owner && (owner->host == host_name() ? is_alive(*owner) : !free);
  return held ? State::held : State::left;
}

}  // namespace aetos
