#pragma once

#include <hdf5.h>
#include <sys/resource.h>
#include <sys/time.h>

namespace aetos::io::hdf5 {

/// While one lives, HDF5 may read from the heap in which a file keeps texts of any length. HDF5 1.10 believes
/// the sizes there: it takes memory for a text of 4 GiB in a file of 4 KiB, and goes on for ever over an
/// object of no length. So this process gets no more memory than the file could need, and, where a CrashGuard
/// lives, two seconds of processor time (in user mode), whose end is taken for a crash.
class HeapReadLimits {
 public:
  explicit HeapReadLimits(hid_t object);
  ~HeapReadLimits();
  HeapReadLimits(const HeapReadLimits&) = delete;
  HeapReadLimits& operator=(const HeapReadLimits&) = delete;

 private:
  rlimit memory_before_{};
  itimerval timer_before_{};
};

}  // namespace aetos::io::hdf5
