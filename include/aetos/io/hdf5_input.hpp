#pragma once

#include <signal.h>

#include <array>
#include <string>

#include "aetos/core/error.hpp"
#include "aetos/io/hdf5.hpp"

/// Reading HDF5 files that another program may have written, or time has damaged.
namespace aetos::io::hdf5 {

/// HDF5 1.10 believes the sizes within a file's metadata and can crash over a forged or damaged one. While a
/// guard lives, a crash ends the process with exit code 2 and one line that names the file. Under the address
/// sanitizer, which reports crashes itself and says more, it does nothing.
class CrashGuard {
 public:
  explicit CrashGuard(const std::string& path);
  ~CrashGuard();
  CrashGuard(const CrashGuard&) = delete;
  CrashGuard& operator=(const CrashGuard&) = delete;
  static bool is_active();

 private:
  static constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGVTALRM};
  std::string line_;
  const std::string* outer_ = nullptr;  ///< that of the guard around this one
  std::array<struct sigaction, kSignals.size()> before_{};
};

/// Opens a file to read it alone, and gives its identifier to `read`. Whatever HDF5 cannot read of a file
/// that it could open is the file's fault: an InputError. Errors of opening are those of open_for_reading.
template <class F>
auto read_input(const std::string& path, F&& read) {
  const CrashGuard guard(path);
  const File file = open_for_reading(path);
  try {
    return read(file.get());
  } catch (const ResourceError& e) {
    throw InputError(path, std::string("the HDF5 file is damaged (") + e.what() + ")",
                     "a file that can be read");
  }
}

}  // namespace aetos::io::hdf5
