#include "mat5_elements.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>

#include "aetos/core/error.hpp"

namespace aetos::io::mat5 {
namespace {

constexpr std::uint64_t kHeader = 128;
/// Deflate shrinks by at most 1032.
constexpr std::uint64_t kDeflate = 1032;

bool swapped_order(const std::string& path, std::ifstream& in) {
  char mark[2] = {};
  in.seekg(kHeader - 2);
  in.read(mark, 2);
  const bool little = mark[0] == 'I' && mark[1] == 'M';
  if (!in || (!little && !(mark[0] == 'M' && mark[1] == 'I')))
    throw InputError(path, "is not a MAT file", "MATLAB's version 5 or 7.3 (save with -v7 or -v7.3)");
  return little != (std::endian::native == std::endian::little);
}

}  // namespace

std::size_t size_of(Type type) {
  switch (type) {
    case Type::int8:
    case Type::uint8:
      return 1;
    case Type::int16:
    case Type::uint16:
      return 2;
    case Type::int32:
    case Type::uint32:
    case Type::single:
      return 4;
    case Type::real64:
    case Type::int64:
    case Type::uint64:
      return 8;
    default:
      return 0;
  }
}

Element::Element(const std::string& path, std::uint64_t at) : path_(path), in_(path, std::ios::binary) {
  swapped_ = swapped_order(path, in_);
  const std::uint64_t size = std::filesystem::file_size(path);
  char words[8] = {};
  in_.seekg(static_cast<std::streamoff>(at));
  in_.read(words, sizeof words);
  const std::uint64_t bytes = word(words + 4);
  if (!in_ || at + 8 + bytes > size)
    throw InputError(path, fmt::format("the MAT file is cut off at byte {}", size),
                     fmt::format("at least {} bytes", at + 8 + bytes));
  end_ = at + 8 + bytes;
  stored_ = bytes;
  left_ = bytes;
  const auto type = static_cast<Type>(word(words));
  if (type == Type::matrix) return;
  if (type != Type::compressed) damaged(fmt::format("an element of kind {}", word(words)));
  compressed_ = true;
  buffer_.resize(
      static_cast<std::size_t>(std::min<std::uint64_t>(std::max<std::uint64_t>(bytes, 1), 1 << 16)));
  if (inflateInit(&zlib_) != Z_OK) throw ResourceError("zlib has no memory");
  try {
    inflate_into(words, sizeof words);
    left_ = word(words + 4);
    if (static_cast<Type>(word(words)) != Type::matrix || left_ > kDeflate * bytes)
      damaged(fmt::format("a compressed element of {} bytes that says it holds {}", bytes, left_));
  } catch (...) {
    inflateEnd(&zlib_);
    throw;
  }
}

Element::~Element() {
  if (compressed_) inflateEnd(&zlib_);
}

std::uint32_t Element::word(const char* bytes) const {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return swapped_ ? __builtin_bswap32(value) : value;
}

void Element::damaged(const std::string& what) const {
  throw InputError(path_, "the MAT file is damaged: " + what, "a complete MAT file");
}

void Element::inflate_into(char* out, std::size_t bytes) {
  zlib_.next_out = reinterpret_cast<Bytef*>(out);
  zlib_.avail_out = static_cast<uInt>(bytes);
  while (zlib_.avail_out > 0) {
    if (zlib_.avail_in == 0) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(stored_, buffer_.size()));
      if (n == 0 || !in_.read(buffer_.data(), static_cast<std::streamsize>(n)))
        damaged("compressed data end early");
      stored_ -= n;
      zlib_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
      zlib_.avail_in = static_cast<uInt>(n);
    }
    const int status = inflate(&zlib_, Z_NO_FLUSH);
    if (status != Z_OK && !(status == Z_STREAM_END && zlib_.avail_out == 0))
      damaged(zlib_.msg != nullptr ? zlib_.msg : "compressed data end early");
  }
}

void Element::read(void* out, std::size_t bytes) {
  if (bytes > left_) damaged("a variable's parts are longer than the variable");
  left_ -= bytes;
  if (compressed_)
    inflate_into(static_cast<char*>(out), bytes);
  else if (!in_.read(static_cast<char*>(out), static_cast<std::streamsize>(bytes)))
    damaged("the file ends early");
}

void Element::skip(std::uint64_t bytes) {
  if (bytes > left_) damaged("a variable's parts are longer than the variable");
  if (!compressed_) {
    left_ -= bytes;
    in_.seekg(static_cast<std::streamoff>(bytes), std::ios::cur);
    return;
  }
  char scratch[4096];
  for (std::uint64_t n = 0; bytes > 0; bytes -= n)
    read(scratch, static_cast<std::size_t>(n = std::min<std::uint64_t>(bytes, sizeof scratch)));
}

Tag Element::tag() {
  char words[8];
  read(words, sizeof words);
  const std::uint32_t first = word(words);
  if (first >> 16 == 0) return {static_cast<Type>(first), word(words + 4)};
  Tag tag{static_cast<Type>(first & 0xffff), first >> 16, true};
  if (tag.bytes > 4) damaged("a short element of more than four bytes");
  std::memcpy(tag.data, words + 4, 4);
  return tag;
}

std::vector<char> Element::data(const Tag& tag, std::size_t limit) {
  if (tag.bytes > limit) damaged(fmt::format("{} bytes where {} are the most", tag.bytes, limit));
  if (tag.small) return {tag.data, tag.data + tag.bytes};
  std::vector<char> bytes(tag.bytes);
  read(bytes.data(), bytes.size());
  skip(std::min<std::uint64_t>(left_, (8 - tag.bytes % 8) % 8));
  return bytes;
}

namespace {

/// MATLAB's classes by number (table 1-3 of the format's description).
constexpr const char* kClasses[] = {"unknown", "cell",   "struct", "object", "char",     "sparse",
                                    "double",  "single", "int8",   "uint8",  "int16",    "uint16",
                                    "int32",   "uint32", "int64",  "uint64", "function", "opaque"};

/// What stands before a variable's data. Objects ("opaque") have no dimensions there.
mat::Variable read_description(Element& element, std::uint64_t at) {
  mat::Variable v;
  v.at = at;
  const std::vector<char> flag_words = element.data(element.tag(), 8);
  const std::uint32_t flags = flag_words.size() == 8 ? element.word(flag_words.data()) : 0;
  const std::uint32_t number = flags & 0xff;
  v.kind = number < std::size(kClasses) ? kClasses[number] : "unknown";
  const bool complex = (flags & 0x0800) != 0, logical = (flags & 0x0200) != 0;
  v.numeric = number >= 6 && number <= 15 && !complex;
  v.integer = number >= 8 && number <= 15;
  if (logical) v.kind = "logical";
  if (complex) v.kind = "complex " + v.kind;
  if (v.kind != "opaque") {
    const std::vector<char> dims = element.data(element.tag(), 4 * 64);
    for (std::size_t i = 0; i + 4 <= dims.size(); i += 4) v.dims.push_back(element.word(dims.data() + i));
  }
  const std::vector<char> name = element.data(element.tag(), 4096);
  v.name.assign(name.begin(), std::find(name.begin(), name.end(), '\0'));
  return v;
}

/// What stands before the numbers of a variable: as many bytes as its dimensions need, all within its
/// element.
Tag read_data_tag(Element& element, const mat::Variable& v, const std::string& path) {
  const Tag tag = element.tag();
  const std::size_t width = size_of(tag.type);
  const bool fits = width != 0 && tag.bytes % width == 0 && tag.bytes / width == v.size();
  if (!fits || (!tag.small && tag.bytes > element.left()))
    throw InputError(
        path,
        fmt::format("'{}' is {}, but has {} bytes of data", v.name, fmt::join(v.dims, " x "), tag.bytes),
        "a complete MAT file");
  return tag;
}

}  // namespace

std::vector<mat::Variable> list(const std::string& path) {
  std::vector<mat::Variable> variables;
  const std::uint64_t size = std::filesystem::file_size(path);
  for (std::uint64_t at = kHeader; at < size;) {
    Element element(path, at);
    mat::Variable v = read_description(element, at);
    if (v.numeric) read_data_tag(element, v, path);
    // A nameless variable holds the bodies of objects.
    if (!v.name.empty()) variables.push_back(std::move(v));
    at = element.end();
  }
  return variables;
}

namespace {

template <class Stored, class Out>
void convert(const char* bytes, std::size_t n, bool swapped, Out* out) {
  for (std::size_t i = 0; i < n; ++i) {
    char one[sizeof(Stored)];
    std::memcpy(one, bytes + i * sizeof(Stored), sizeof(Stored));
    if (swapped) std::reverse(one, one + sizeof(Stored));
    Stored value;
    std::memcpy(&value, one, sizeof(Stored));
    out[i] = static_cast<Out>(value);
  }
}

template <class Out>
void convert(Type type, const char* bytes, std::size_t n, bool swapped, Out* out) {
  switch (type) {
    case Type::int8:
      return convert<std::int8_t>(bytes, n, swapped, out);
    case Type::uint8:
      return convert<std::uint8_t>(bytes, n, swapped, out);
    case Type::int16:
      return convert<std::int16_t>(bytes, n, swapped, out);
    case Type::uint16:
      return convert<std::uint16_t>(bytes, n, swapped, out);
    case Type::int32:
      return convert<std::int32_t>(bytes, n, swapped, out);
    case Type::uint32:
      return convert<std::uint32_t>(bytes, n, swapped, out);
    case Type::single:
      return convert<float>(bytes, n, swapped, out);
    case Type::int64:
      return convert<std::int64_t>(bytes, n, swapped, out);
    case Type::uint64:
      return convert<std::uint64_t>(bytes, n, swapped, out);
    default:
      return convert<double>(bytes, n, swapped, out);
  }
}

}  // namespace

template <class Out>
void read_box(const std::string& path, const mat::Variable& variable, const std::vector<std::size_t>& start,
              const std::vector<std::size_t>& count, Out* out) {
  Element element(path, variable.at);
  const mat::Variable v = read_description(element, variable.at);
  if (v.dims != variable.dims) throw InputError(path, "the file changed while it was read", "a file at rest");
  const Tag tag = read_data_tag(element, v, path);
  const std::size_t width = size_of(tag.type);
  // Runs along the first axis, in the order of the file: compressed data can only be read forward.
  std::size_t runs = 1;
  for (std::size_t a = 1; a < count.size(); ++a) runs *= count[a];
  std::vector<char> bytes(count[0] * width);
  std::uint64_t position = 0;
  for (std::size_t run = 0; run < runs; ++run) {
    std::uint64_t first = start[0], stride = v.dims[0];
    std::size_t rest = run;
    for (std::size_t a = 1; a < count.size(); ++a) {
      first += (start[a] + rest % count[a]) * stride;
      rest /= count[a];
      stride *= v.dims[a];
    }
    if (tag.small) {
      std::copy_n(tag.data + first * width, bytes.size(), bytes.data());
    } else {
      element.skip((first - position) * width);
      element.read(bytes.data(), bytes.size());
      position = first + count[0];
    }
    convert(tag.type, bytes.data(), count[0], element.swapped(), out + run * count[0]);
  }
}

template void read_box(const std::string&, const mat::Variable&, const std::vector<std::size_t>&,
                       const std::vector<std::size_t>&, float*);
template void read_box(const std::string&, const mat::Variable&, const std::vector<std::size_t>&,
                       const std::vector<std::size_t>&, double*);

}  // namespace aetos::io::mat5
