#include "aetos/core/program_memory.hpp"

#include <cstdlib>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace aetos {

void return_large_blocks() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 65536);  // glibc's default
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);  // what loops free and take again stays
#endif
}

void return_freed_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace aetos
