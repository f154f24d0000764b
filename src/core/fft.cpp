#include "aetos/core/fft.hpp"

#include <algorithm>

namespace aetos::fft {

std::size_t fast_size(std::size_t n, std::size_t multiple) {
  const auto is_smooth = [](std::size_t m) {
    for (std::size_t p : {2, 3, 5})
      while (m % p == 0) m /= p;
    return m == 1;
  };
  n = std::max(n, multiple);
  std::size_t candidate = (n + multiple - 1) / multiple * multiple;
  while (!is_smooth(candidate)) candidate += multiple;
  return candidate;
}

}  // namespace aetos::fft
