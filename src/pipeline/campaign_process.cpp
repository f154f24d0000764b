#include "aetos/pipeline/campaign_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "aetos/core/error.hpp"
#include "aetos/parallel/file_descriptor.hpp"

namespace aetos::pipeline::campaign {
namespace {

/// This process's own environment holds what MPI_Init left in it, which would make an mpirun below believe
/// that it is part of this run. The kernel keeps the one that the process was started with.
std::vector<std::string> first_environment() {
  std::ifstream file("/proc/self/environ", std::ios::binary);
  std::vector<std::string> variables;
  for (std::string item; std::getline(file, item, '\0');) variables.push_back(item);
  if (variables.empty())
    for (char** item = environ; *item != nullptr; ++item) variables.emplace_back(*item);
  // What a test or a user sets later for SLURM's commands still counts.
  if (const char* path = std::getenv("PATH")) {
    std::erase_if(variables, [](const std::string& item) { return item.starts_with("PATH="); });
    variables.push_back(std::string("PATH=") + path);
  }
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  void open(int descriptor, const std::string& path, int flags) {
    posix_spawn_file_actions_addopen(&actions_, descriptor, path.c_str(), flags, 0644);
  }
  void duplicate(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

/// Starts the program; 0 if it is not there.
pid_t start(std::vector<std::string> arguments, const FileActions& actions,
            const std::vector<std::string>& extra) {
  auto variables = first_environment();
  variables.insert(variables.end(), extra.begin(), extra.end());
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0].c_str(), actions.get(), nullptr,
                                 pointers(arguments).data(), pointers(variables).data());
  if (error == ENOENT || error == EACCES) return 0;
  if (error != 0) throw ResourceError("cannot start " + arguments[0] + ": " + std::strerror(error));
  return pid;
}

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A file without a name: what a program writes there is read once it has ended, so no pipe can fill up.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "aetos-XXXXXX").string();
    file_ = FileDescriptor(mkostemp(name.data(), O_CLOEXEC));
    if (!file_.is_open()) throw ResourceError("cannot write in " + name + ": " + std::strerror(errno));
    unlink(name.c_str());
  }
  int descriptor() const { return file_.number(); }
  std::string content() const {
    std::string text;
    char buffer[4096];
    lseek(file_.number(), 0, SEEK_SET);
    for (ssize_t n; (n = read(file_.number(), buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    return text;
  }

 private:
  FileDescriptor file_;
};

}  // namespace

Finished run_program(const std::vector<std::string>& arguments) {
  const Scratch output, errors;
  FileActions actions;
  actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  actions.duplicate(output.descriptor(), STDOUT_FILENO);
  actions.duplicate(errors.descriptor(), STDERR_FILENO);
  const pid_t pid = start(arguments, actions, {});
  if (pid == 0) return {127, "", "there is no program '" + arguments[0] + "'"};
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return {code_of(status), output.content(), errors.content()};
}

int run_program_logged(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                       const Stop& stop, const std::vector<std::string>& extra) {
  FileActions actions;
  actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  actions.open(STDOUT_FILENO, log.string(), O_WRONLY | O_CREAT | O_APPEND);
  actions.duplicate(STDOUT_FILENO, STDERR_FILENO);
  const pid_t pid = start(arguments, actions, extra);
  if (pid == 0) return 127;
  int status = 0;
  for (bool told = false; waitpid(pid, &status, WNOHANG) == 0;) {
    if (stop.requested() && !told) {
      kill(pid, SIGUSR1);
      told = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return code_of(status);
}

std::string this_program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "aetos" : path.string();
}

}  // namespace aetos::pipeline::campaign
