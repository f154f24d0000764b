#include "hdf5_limits.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "aetos/io/hdf5_input.hpp"

namespace aetos::io::hdf5 {
namespace {

constexpr int kSeconds = 2;
/// Copies of a text, and tables of a heap's objects, that HDF5 holds at once, with room to spare.
constexpr rlim_t kFileTimes = 8;
/// What MPI's own threads and the allocator may take meanwhile.
constexpr rlim_t kOthersBytes = rlim_t{64} << 20;

rlim_t bytes_of_file(hid_t object) {
  const hid_t file = H5Iget_file_id(object);
  hsize_t bytes = 0;
  H5Fget_filesize(file, &bytes);
  H5Fclose(file);
  return bytes;
}

/// Address space of this process; 0 where the system does not say.
rlim_t bytes_of_process() {
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

HeapReadLimits::HeapReadLimits(hid_t object) {
  getrlimit(RLIMIT_AS, &memory_before_);
  if (const rlim_t now = bytes_of_process(); now > 0) {
    rlimit limit = memory_before_;
    limit.rlim_cur = std::min(limit.rlim_cur, now + kFileTimes * bytes_of_file(object) + kOthersBytes);
    setrlimit(RLIMIT_AS, &limit);
  }
  itimerval timer{};
  if (CrashGuard::is_active()) timer.it_value.tv_sec = kSeconds;
  setitimer(ITIMER_VIRTUAL, &timer, &timer_before_);
}

HeapReadLimits::~HeapReadLimits() {
  setitimer(ITIMER_VIRTUAL, &timer_before_, nullptr);
  setrlimit(RLIMIT_AS, &memory_before_);
}

}  // namespace aetos::io::hdf5
