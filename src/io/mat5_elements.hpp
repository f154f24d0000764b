#pragma once

#include <zlib.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "aetos/io/mat_file.hpp"

/// Version 5 of MATLAB's format: a header of 128 bytes, then one element (tag and data) per variable.
namespace aetos::io::mat5 {

/// Storage of numbers, and the two kinds of elements that hold variables (table 1-1 of the format's
/// description).
enum class Type : std::uint32_t {
  int8 = 1,
  uint8 = 2,
  int16 = 3,
  uint16 = 4,
  int32 = 5,
  uint32 = 6,
  single = 7,
  real64 = 9,
  int64 = 12,
  uint64 = 13,
  matrix = 14,
  compressed = 15,
  utf8 = 16,
};
/// Bytes of a number; 0 for what is none.
std::size_t size_of(Type type);

struct Tag {
  Type type{};
  std::uint32_t bytes = 0;
  bool small = false;  ///< the data, at most 4 bytes, are in the tag itself
  char data[4] = {};
};

/// The bytes of one variable's element, inflated on the way if it is compressed. Whatever would go beyond its
/// end throws InputError.
class Element {
 public:
  /// `at` is where the element's tag starts.
  Element(const std::string& path, std::uint64_t at);
  ~Element();
  Element(const Element&) = delete;
  Element& operator=(const Element&) = delete;

  bool swapped() const { return swapped_; }
  /// Where the next element of the file starts.
  std::uint64_t end() const { return end_; }
  /// Bytes of the matrix that are left.
  std::uint64_t left() const { return left_; }
  void read(void* out, std::size_t bytes);
  void skip(std::uint64_t bytes);
  Tag tag();
  /// The data of a short element (at most `limit` bytes) with the padding behind it skipped.
  std::vector<char> data(const Tag& tag, std::size_t limit);
  std::uint32_t word(const char* bytes) const;

 private:
  [[noreturn]] void damaged(const std::string& what) const;
  void inflate_into(char* out, std::size_t bytes);

  std::string path_;
  std::ifstream in_;
  bool swapped_ = false, compressed_ = false;
  std::uint64_t end_ = 0;
  std::uint64_t stored_ = 0;  ///< bytes of the file that belong to the element and were not read yet
  std::uint64_t left_ = 0;
  z_stream zlib_{};
  std::vector<char> buffer_;
};

/// Every variable of a file, without its data.
std::vector<mat::Variable> list(const std::string& path);
/// A box of a variable's numbers, in the order of the file.
template <class Out>
void read_box(const std::string& path, const mat::Variable& variable, const std::vector<std::size_t>& start,
              const std::vector<std::size_t>& count, Out* out);

}  // namespace aetos::io::mat5
