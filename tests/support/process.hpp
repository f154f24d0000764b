#pragma once

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

/// Runs the program as a user does, and folders to do it in.
namespace aetos::test {

struct Outcome {
  int code = -1;
  std::string output;  ///< standard output and error together
};

/// Runs a shell command line and waits for it.
inline Outcome run_shell(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer;
  while (std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    outcome.output.append(buffer.data(), n);
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

/// The program on one rank without mpirun, or on several through it, as a shell's command. The environment of
/// a launcher around the test is cleared, so that the program does not take itself for a part of it.
inline std::string aetos_command(const std::string& arguments, int ranks = 1,
                                 const std::string& environment = "") {
  const std::string clean =
      "env -i PATH=\"$PATH\" HOME=\"$HOME\" OMPI_ALLOW_RUN_AS_ROOT=1 "
      "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 " +
      environment + " ";
  const std::string launcher = ranks == 1 ? "" : fmt::format("mpirun --oversubscribe -q -n {} ", ranks);
  return clean + launcher + AETOS_BINARY + " " + arguments + " </dev/null";
}

inline Outcome run_aetos(const std::string& arguments, int ranks = 1, const std::string& environment = "") {
  return run_shell(aetos_command(arguments, ranks, environment));
}

/// A fresh folder that goes away with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "aetos-test-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes a file and gives its full name.
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

}  // namespace aetos::test
