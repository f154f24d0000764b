#include <sys/file.h>

#include <cerrno>
#include <cstdlib>

/// For LD_PRELOAD: what a program finds on a file system without locks, by default one that does not know them at
/// all. NFS without its lock service says ENOLCK.
extern "C" int flock(int, int) noexcept {
  const char* error = std::getenv("AETOS_FLOCK_ERROR");
  errno = error != nullptr ? std::atoi(error) : ENOSYS;
  return -1;
}
