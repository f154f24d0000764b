#pragma once

#include <hdf5.h>
#include <sys/resource.h>

namespace aetos::io::hdf5 {

/// Whether a crash is told in one line; the address sanitizer reports crashes itself, and says more.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kNamesCrashes = false;
#elif defined(__has_feature)
inline constexpr bool kNamesCrashes = !__has_feature(address_sanitizer);
#else
inline constexpr bool kNamesCrashes = true;
#endif

/// While one lives, HDF5 may read from the heap in which a file keeps texts of any length. HDF5 1.10 believes
/// the sizes there: it takes memory for a text of 4 GiB in a file of 4 KiB, and goes on for ever over an
/// object of no length. So this process gets no more memory than the file could fill, and two seconds of
/// processor time, whose end is taken for a crash (InputFile).
class HeapReadLimits {
 public:
  explicit HeapReadLimits(hid_t object);
  ~HeapReadLimits();
  HeapReadLimits(const HeapReadLimits&) = delete;
  HeapReadLimits& operator=(const HeapReadLimits&) = delete;

 private:
  rlimit before_{};
};

}  // namespace aetos::io::hdf5
