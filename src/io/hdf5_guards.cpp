#include "hdf5_guards.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace aetos::io::hdf5 {
namespace {

constexpr int kSeconds = 2;
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

void set_timer(int seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = seconds;
  setitimer(ITIMER_VIRTUAL, &timer, nullptr);
}

}  // namespace

HeapReadLimits::HeapReadLimits(hid_t object) {
  getrlimit(RLIMIT_AS, &before_);
  if (const rlim_t now = bytes_of_process(); now > 0) {
    rlimit limit = before_;
    limit.rlim_cur = std::min(before_.rlim_cur, now + 2 * bytes_of_file(object) + kOthersBytes);
    setrlimit(RLIMIT_AS, &limit);
  }
  if constexpr (kNamesCrashes) set_timer(kSeconds);
}

HeapReadLimits::~HeapReadLimits() {
  set_timer(0);
  setrlimit(RLIMIT_AS, &before_);
}

}  // namespace aetos::io::hdf5
