#include "aetos/io/mrc_file.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <mutex>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"

namespace aetos::io::mrc {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeaderBytes = 1024;
constexpr std::int32_t kLargestSide = 1 << 24;

/// The header as 256 words, in either byte order. Word numbers count from 0.
class Words {
 public:
  explicit Words(const std::vector<char>& bytes) : bytes_(bytes) {}
  bool swapped = false;

  std::int32_t integer(std::size_t word) const { return std::bit_cast<std::int32_t>(raw(word)); }
  float real(std::size_t word) const { return std::bit_cast<float>(raw(word)); }
  unsigned char byte(std::size_t at) const { return static_cast<unsigned char>(bytes_[at]); }
  /// Whether sizes and mode make sense in the present byte order.
  bool plausible() const {
    for (std::size_t w = 0; w < 3; ++w)
      if (integer(w) < 1 || integer(w) > kLargestSide) return false;
    return integer(3) >= 0 && integer(3) < 128;
  }

 private:
  std::uint32_t raw(std::size_t word) const {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes_.data() + 4 * word, 4);
    return swapped ? __builtin_bswap32(value) : value;
  }
  const std::vector<char>& bytes_;
};

/// A header is read again for every slab; what is odd about it is said once.
void note_once(const std::string& text) {
  static std::set<std::string> said;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (said.insert(text).second) log::warn("{}", text);
}

/// Byte order by the machine stamp, corrected by what makes the sizes plausible.
void find_byte_order(Words& words, const std::string& path) {
  const bool native_little = std::endian::native == std::endian::little;
  const unsigned char a = words.byte(212), b = words.byte(213);
  const bool known = (a == 0x44 && (b == 0x44 || b == 0x41)) || (a == 0x11 && b == 0x11);
  const bool file_little = a != 0x11;
  words.swapped = file_little != native_little;
  if (!words.plausible()) {
    words.swapped = !words.swapped;
    if (!words.plausible())
      words.swapped = !words.swapped;
    else if (known)
      note_once(fmt::format(
          "{}: the machine stamp {:02x} {:02x} does not fit the sizes; they decide the byte order", path, a,
          b));
  }
  if (!known)
    note_once(
        fmt::format("{}: unusual machine stamp {:02x} {:02x}; byte order judged by the sizes", path, a, b));
}

std::optional<double> pixel_of(const Words& words) {
  for (std::size_t axis : {0u, 1u}) {
    const double length = words.real(10 + axis), samples = words.integer(7 + axis);
    if (samples > 0 && std::isfinite(length) && length > 0) return length / samples;
  }
  return {};
}

/// IMOD's own flags (imodStamp 1146047817): bit 0 says that bytes of mode 0 have a sign.
bool bytes_without_sign(const Words& words) {
  return words.integer(3) == 0 && words.integer(38) == 1146047817 && (words.integer(39) & 1) == 0;
}

}  // namespace

std::size_t bytes_per_value(int mode) {
  switch (mode) {
    case 0:
      return 1;
    case 1:
    case 6:
    case 12:
      return 2;
    case 2:
      return 4;
    default:
      return 0;
  }
}

Header read_header(const std::string& path) {
  std::error_code ec;
  const std::uint64_t size = fs::file_size(path, ec);
  if (ec) throw InputError(path, ec.message(), "an MRC file");
  std::vector<char> bytes(kHeaderBytes);
  std::ifstream in(path, std::ios::binary);
  if (size < kHeaderBytes || !in.read(bytes.data(), kHeaderBytes))
    throw InputError(path, fmt::format("{} bytes", size), "an MRC file, whose header alone has 1024");

  Words words(bytes);
  find_byte_order(words, path);
  if (std::memcmp(bytes.data() + 208, "MAP", 3) != 0)
    note_once(fmt::format("{}: has no 'MAP' in its header", path));
  Header h;
  h.swapped = words.swapped;
  for (std::size_t w = 0; w < 3; ++w) {
    const std::int32_t n = words.integer(w);
    if (n < 1 || n > kLargestSide)
      throw InputError(path, fmt::format("{} = {} in the MRC header", std::string{"n", 1} + "xyz"[w], n),
                       fmt::format("1 to {} (is this an MRC file?)", kLargestSide));
    h.shape[2 - w] = static_cast<std::size_t>(n);
  }
  h.mode = words.integer(3);
  if (bytes_per_value(h.mode) == 0)
    throw InputError(path, fmt::format("MRC mode {}", h.mode),
                     "mode 0 (int8), 1 (int16), 2 (float32), 6 (uint16) or 12 (float16)");
  h.unsigned_bytes = bytes_without_sign(words);
  for (std::size_t a = 0; a < 3; ++a)
    if (const std::int32_t axis = words.integer(16 + a);
        axis != 0 && axis != static_cast<std::int32_t>(a) + 1)
      throw InputError(path,
                       fmt::format("axis order (mapc, mapr, maps) = {} {} {}", words.integer(16),
                                   words.integer(17), words.integer(18)),
                       "1 2 3: columns are x, rows are y");
  const std::int32_t extended = words.integer(23);
  if (extended < 0)
    throw InputError(path, fmt::format("an extended header of {} bytes", extended), "0 or more");
  h.data_offset = kHeaderBytes + static_cast<std::uint64_t>(extended);
  // Each side is at most 2^24, so a long double holds the product of three and the bytes per value exactly
  // enough.
  const long double needed = static_cast<long double>(h.data_offset) + static_cast<long double>(h.shape[0]) *
                                                                           h.shape[1] * h.shape[2] *
                                                                           bytes_per_value(h.mode);
  if (needed > static_cast<long double>(size))
    throw InputError(path,
                     fmt::format("{} bytes; the header announces {} x {} x {} of mode {}", size, h.shape[0],
                                 h.shape[1], h.shape[2], h.mode),
                     fmt::format("{:.0f} bytes (is the file complete?)", static_cast<double>(needed)));
  if (needed < static_cast<long double>(size))
    note_once(fmt::format("{}: {:.0f} bytes more than its header announces, not used", path,
                          static_cast<double>(size - needed)));
  h.pixel_A = pixel_of(words);
  h.is_volume = words.integer(22) != 0;
  return h;
}

std::vector<EulerAngles> angles_beside(const std::string& path, std::size_t sections) {
  for (const char* extension : {".rawtlt", ".tlt"}) {
    const fs::path file = fs::path(path).replace_extension(extension);
    std::error_code ec;
    if (!fs::exists(file, ec)) continue;
    auto angles = read_angles(file);
    if (angles.size() != sections)
      throw InputError(file,
                       fmt::format("{} angles for the {} projections of {}", angles.size(), sections, path),
                       "one each");
    return angles;
  }
  return {};
}

namespace {

float half_to_float(std::uint16_t half) {
  const int sign = half >> 15 ? -1 : 1, exponent = (half >> 10) & 31, mantissa = half & 1023;
  if (exponent == 31) return mantissa ? std::nanf("") : static_cast<float>(sign) * INFINITY;
  if (exponent == 0) return static_cast<float>(sign) * std::ldexp(static_cast<float>(mantissa), -24);
  return static_cast<float>(sign) * std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
}

/// One value of a row: bytes to float.
float decode(const char* at, const Header& h) {
  if (h.mode == 0) {
    const auto byte = static_cast<unsigned char>(*at);
    return h.unsigned_bytes ? static_cast<float>(byte) : static_cast<float>(static_cast<signed char>(byte));
  }
  if (h.mode == 2) {
    std::uint32_t raw = 0;
    std::memcpy(&raw, at, 4);
    return std::bit_cast<float>(h.swapped ? __builtin_bswap32(raw) : raw);
  }
  std::uint16_t raw = 0;
  std::memcpy(&raw, at, 2);
  if (h.swapped) raw = __builtin_bswap16(raw);
  if (h.mode == 12) return half_to_float(raw);
  return h.mode == 6 ? static_cast<float>(raw) : static_cast<float>(static_cast<std::int16_t>(raw));
}

}  // namespace
}  // namespace aetos::io::mrc

namespace aetos::io {

TiltSeriesInfo mrc_series_info(const Source& source) {
  const mrc::Header h = mrc::read_header(source.file);
  TiltSeriesInfo info;
  info.tilts = h.shape[0];
  info.ny = h.shape[1];
  info.nx = h.shape[2];
  info.pixel_A = h.pixel_A;
  info.angles = mrc::angles_beside(source.file, h.shape[0]);
  info.signals = {""};
  info.is_counts = h.mode == 0 || h.mode == 1 || h.mode == 6;
  return info;
}

VolumeInfo mrc_volume_info(const Source& source) {
  const mrc::Header h = mrc::read_header(source.file);
  VolumeInfo info;
  info.shape = h.shape;
  info.voxel_A = h.pixel_A;
  return info;
}

Array<float, 3> mrc_read(const Source& source, const Box3& box) {
  const mrc::Header h = mrc::read_header(source.file);
  check_box(source.file, box, h.shape);
  Array<float, 3> out({box.count[0], box.count[1], box.count[2]});
  const std::size_t width = mrc::bytes_per_value(h.mode);
  const std::size_t rows_bytes = box.count[1] * h.shape[2] * width;  // whole rows: they lie together
  std::vector<char> buffer(rows_bytes);
  std::ifstream in(source.file, std::ios::binary);
  for (std::size_t i = 0; i < box.count[0] && !out.empty(); ++i) {
    const std::uint64_t row = (box.start[0] + i) * h.shape[1] + box.start[1];
    in.seekg(static_cast<std::streamoff>(h.data_offset + row * h.shape[2] * width));
    if (!in.read(buffer.data(), static_cast<std::streamsize>(rows_bytes)))
      throw InputError(source.file, "the file ends early", "as many bytes as its header announces");
    for (std::size_t y = 0; y < box.count[1]; ++y)
      for (std::size_t x = 0; x < box.count[2]; ++x)
        out(i, y, x) = mrc::decode(buffer.data() + (y * h.shape[2] + box.start[2] + x) * width, h);
  }
  return out;
}

}  // namespace aetos::io
