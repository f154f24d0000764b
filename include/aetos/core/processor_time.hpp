#pragma once

#include <time.h>

namespace aetos {

/// Processor time of this thread in seconds, from an arbitrary start: other work on the machine hardly
/// touches differences of it.
inline double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace aetos
