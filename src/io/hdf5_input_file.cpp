#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "aetos/core/error.hpp"
#include "aetos/io/hdf5.hpp"
#include "hdf5_guards.hpp"

namespace aetos::io::hdf5 {
namespace {

namespace fs = std::filesystem;

/// Read by a signal handler, which may neither allocate nor lock.
const char* file_being_read = nullptr;

extern "C" void name_file_of_crash(int) {
  const auto say = [](const char* text) { (void)!::write(STDERR_FILENO, text, std::strlen(text)); };
  say("error: ");
  say(file_being_read);
  say(": the HDF5 file is damaged (the HDF5 library crashed over it, or did not end); expected a complete "
      "HDF5 "
      "file\n");
  ::_exit(2);
}

/// HDF5 recurses along forged lists until the stack is full; the handler needs one of its own.
void provide_signal_stack() {
  alignas(16) static char memory[16384];
  stack_t stack{};
  stack.ss_sp = memory;
  stack.ss_size = sizeof memory;
  sigaltstack(&stack, nullptr);
}

/// The whole error stack as text, to look for a cause in.
std::string whole_error() {
  std::string text;
  const auto collect = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    if (error->desc != nullptr) *static_cast<std::string*>(out) += std::string(error->desc) + "\n";
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &text);
  return text;
}

void check_there(const std::string& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw InputError(path, "no such file", "an HDF5 file");
  if (fs::is_directory(path, ec)) throw InputError(path, "is a folder", "an HDF5 file");
  if (fs::file_size(path, ec) == 0 && !ec)
    throw InputError(path, "the file is empty (0 bytes)", "an HDF5 file");
  if (::access(path.c_str(), R_OK) != 0)
    throw InputError(path, std::strerror(errno), "a file that can be read");
}

bool has_signature(const std::string& path) {
  const htri_t is = H5Fis_hdf5(path.c_str());
  H5Eclear2(H5E_DEFAULT);
  return is > 0;
}

/// "HDF" and friends at the start of the file, whether or not the rest can be read.
bool starts_like_hdf5(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char bytes[8] = {};
  const ssize_t n = ::read(fd, bytes, sizeof bytes);
  ::close(fd);
  return n == 8 && std::memcmp(bytes, "\x89HDF\r\n\x1a\n", 8) == 0;
}

File open(const std::string& path) {
  silence();
  check_there(path);
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id >= 0) return File(id);
  const std::string stack = whole_error();
  const std::string cause = last_error();
  if (stack.find("unable to lock") != std::string::npos)
    throw ResourceError(
        fmt::format("{}: cannot be locked for reading ({}); another program is writing it, or the file "
                    "system has no locks: HDF5_USE_FILE_LOCKING=FALSE in the environment reads it anyway",
                    path, cause));
  if (stack.find("consistency flags") != std::string::npos ||
      stack.find("already open for write") != std::string::npos)
    throw ResourceError(
        fmt::format("{}: is marked as open for writing ({}); if no program writes it any more, "
                    "`h5clear -s` repairs the mark; see also HDF5_USE_FILE_LOCKING",
                    path, cause));
  if (!has_signature(path) && !starts_like_hdf5(path))
    throw InputError(path, "is not an HDF5 file", "an HDF5 file");
  throw InputError(path, fmt::format("the HDF5 file is damaged or incomplete ({})", cause),
                   "a complete HDF5 file");
}

}  // namespace

InputFile::CrashGuard::CrashGuard(const char* path) : outer_(file_being_read) {
  file_being_read = path;
  if constexpr (!kNamesCrashes) return;
  provide_signal_stack();
  struct sigaction action {};
  action.sa_handler = name_file_of_crash;
  action.sa_flags = SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
}

InputFile::CrashGuard::~CrashGuard() {
  if constexpr (kNamesCrashes)
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  file_being_read = outer_;
}

InputFile::InputFile(const std::string& path) : path_(path), guard_(path_.c_str()), file_(open(path)) {}

}  // namespace aetos::io::hdf5
