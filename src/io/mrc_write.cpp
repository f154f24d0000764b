#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "aetos/core/error.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/mrc_file.hpp"

namespace aetos::io::mrc {
namespace {

static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);

struct Statistics {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  double sum = 0, squares = 0, count = 0;

  void add(const Array<float, 3>& section) {
    for (float v : section) {
      low = std::min(low, static_cast<double>(v));
      high = std::max(high, static_cast<double>(v));
      sum += v;
      squares += static_cast<double>(v) * v;
      ++count;
    }
  }
  double mean() const { return sum / count; }
  double rms() const { return std::sqrt(std::max(0.0, squares / count - mean() * mean())); }
};

/// The 1024 bytes of MRC2014; word numbers count from 0.
std::string header(const std::array<std::size_t, 3>& shape, std::optional<double> pixel_A, bool is_volume,
                   const Statistics& statistics) {
  std::string bytes(1024, '\0');
  const auto integer = [&](std::size_t word, std::int32_t value) {
    std::memcpy(bytes.data() + 4 * word, &value, 4);
  };
  const auto real = [&](std::size_t word, double value) {
    const auto v = static_cast<float>(value);
    std::memcpy(bytes.data() + 4 * word, &v, 4);
  };
  for (std::size_t a = 0; a < 3; ++a) {
    const std::size_t n = shape[2 - a];
    const std::size_t samples =
        a == 2 && !is_volume ? 1 : n;  // a stack of images has one section per unit cell
    integer(a, static_cast<std::int32_t>(n));
    integer(7 + a, static_cast<std::int32_t>(samples));
    if (pixel_A) real(10 + a, *pixel_A * static_cast<double>(samples));
    real(13 + a, 90);
    integer(16 + a, static_cast<std::int32_t>(a) + 1);
  }
  integer(3, 2);
  real(19, statistics.low);
  real(20, statistics.high);
  real(21, statistics.mean());
  integer(22, is_volume ? 1 : 0);
  integer(27, 20141);
  std::memcpy(bytes.data() + 208, "MAP ", 4);
  const bool little = std::endian::native == std::endian::little;
  std::memcpy(bytes.data() + 212, little ? "\x44\x44\0\0" : "\x11\x11\0\0", 4);
  real(54, statistics.rms());
  integer(55, 1);
  const std::string label = fmt::format("{:<80}", fmt::format("AETOS {}", kVersion));
  std::memcpy(bytes.data() + 224, label.data(), 80);
  return bytes;
}

}  // namespace

void write(const std::filesystem::path& path, const std::array<std::size_t, 3>& shape,
           std::optional<double> pixel_A, bool is_volume,
           const std::function<Array<float, 3>(std::size_t)>& section) {
  const std::filesystem::path partial = partial_name(path);
  try {
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    if (!out)
      throw ResourceError(fmt::format("cannot write '{}': {}", partial.string(), std::strerror(errno)));
    out.write(std::string(1024, '\0').data(), 1024);  // the statistics are known only at the end
    Statistics statistics;
    for (std::size_t i = 0; i < shape[0]; ++i) {
      const Array<float, 3> values = section(i);
      statistics.add(values);
      out.write(reinterpret_cast<const char*>(values.data()),
                static_cast<std::streamsize>(values.size() * sizeof(float)));
    }
    out.seekp(0);
    out.write(header(shape, pixel_A, is_volume, statistics).data(), 1024);
    out.close();
    if (!out) throw ResourceError(fmt::format("cannot write '{}' (is the disk full?)", partial.string()));
    publish(partial, path);
  } catch (...) {
    std::error_code ec;
    std::filesystem::remove(partial, ec);
    throw;
  }
}

}  // namespace aetos::io::mrc
