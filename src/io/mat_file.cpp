#include "aetos/io/mat_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "aetos/core/error.hpp"
#include "aetos/io/hdf5.hpp"

namespace aetos::io::mat {
namespace {

void say_nothing(int, char*) {}

/// Version 5: the elements after the header of 128 bytes must fill the file exactly. matio would read a cut
/// file up to its end and leave the rest as zeros.
void check_elements(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  char header[128] = {};
  if (!in.read(header, sizeof header))
    throw InputError(path, "the file ends within its header", "a complete MAT file");
  const bool little = header[126] == 'I' && header[127] == 'M';
  if (!little && !(header[126] == 'M' && header[127] == 'I'))
    throw InputError(path, "is not a MAT file", "MATLAB's version 5 or 7.3 (save with -v7 or -v7.3)");
  const std::uint64_t size = std::filesystem::file_size(path);
  std::uint64_t at = sizeof header;
  while (at < size) {
    std::uint32_t tag[2] = {};
    in.seekg(static_cast<std::streamoff>(at));
    in.read(reinterpret_cast<char*>(tag), sizeof tag);
    std::uint32_t bytes = tag[1];
    if (little != (std::endian::native == std::endian::little)) bytes = __builtin_bswap32(bytes);
    if (!in || at + 8 + bytes > size)
      throw InputError(path, fmt::format("the MAT file is cut off at byte {}", size),
                       fmt::format("at least {} bytes", at + 8 + bytes));
    at += 8 + std::uint64_t{bytes};
  }
}

}  // namespace

File open(const std::string& path) {
  Mat_LogInitFunc("aetos", &say_nothing);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  std::error_code ec;
  if (!std::filesystem::exists(path, ec)) throw InputError(path, "no such file", "a MAT file");
  if (std::filesystem::file_size(path, ec) < 128)
    throw InputError(path, "the file is too short for a MAT file", "a complete MAT file");
  File file(Mat_Open(path.c_str(), MAT_ACC_RDONLY));
  if (!file) {
    std::ifstream in(path, std::ios::binary);
    std::string head(10, '\0');
    in.read(head.data(), 10);
    if (head == "MATLAB 7.3") (void)hdf5::open_for_reading(path);  // says what is wrong with it
    throw InputError(path, "is not a MAT file, or damaged",
                     "MATLAB's version 5 or 7.3 (save with -v7 or -v7.3)");
  }
  if (Mat_GetVersion(file.get()) == MAT_FT_MAT5) check_elements(path);
  if (Mat_GetVersion(file.get()) == MAT_FT_MAT4)
    throw InputError(path, "is not a MAT file of version 5 or 7.3",
                     "MATLAB's version 5 or 7.3 (save with -v7 or -v7.3)");
  return file;
}

std::vector<Variable> list(mat_t* file, const std::string& path) {
  std::vector<Variable> variables;
  Mat_Rewind(file);
  while (matvar_t* v = Mat_VarReadNextInfo(file)) {
    if (v->name != nullptr)
      variables.emplace_back(v);
    else
      Mat_VarFree(v);
  }
  if (variables.empty()) throw InputError(path, "a MAT file without variables", "an array");
  return variables;
}

bool is_integer(const matvar_t& v) {
  return v.class_type >= MAT_C_INT8 && v.class_type <= MAT_C_UINT64;
}

bool is_numeric(const matvar_t& v) {
  return v.class_type >= MAT_C_DOUBLE && v.class_type <= MAT_C_UINT64 && !v.isComplex;
}

std::string class_name(const matvar_t& v) {
  static const char* const kNames[] = {"empty",  "cell",   "struct", "object", "char",     "sparse",
                                       "double", "single", "int8",   "uint8",  "int16",    "uint16",
                                       "int32",  "uint32", "int64",  "uint64", "function", "opaque"};
  const auto index = static_cast<std::size_t>(v.class_type);
  const std::string name = index < std::size(kNames) ? kNames[index] : "unknown";
  if (v.isLogical) return "logical";
  return v.isComplex ? "complex " + name : name;
}

std::string describe(const std::vector<Variable>& variables) {
  std::string text;
  for (const Variable& v : variables) {
    std::vector<std::size_t> dims(v->dims, v->dims + std::max(0, v->rank));
    text += fmt::format("{}{} ({} {})", text.empty() ? "" : ", ", v->name, fmt::join(dims, " x "),
                        class_name(*v));
  }
  return text;
}

namespace {

/// Calls `use` with the C++ type that a numeric variable's elements have in memory.
template <class F>
void with_element_type(const matvar_t& v, F&& use) {
  switch (v.class_type) {
    case MAT_C_DOUBLE:
      use(double{});
      break;
    case MAT_C_SINGLE:
      use(float{});
      break;
    case MAT_C_INT8:
      use(std::int8_t{});
      break;
    case MAT_C_UINT8:
      use(std::uint8_t{});
      break;
    case MAT_C_INT16:
      use(std::int16_t{});
      break;
    case MAT_C_UINT16:
      use(std::uint16_t{});
      break;
    case MAT_C_INT32:
      use(std::int32_t{});
      break;
    case MAT_C_UINT32:
      use(std::uint32_t{});
      break;
    case MAT_C_INT64:
      use(std::int64_t{});
      break;
    default:
      use(std::uint64_t{});
  }
}

/// Part of a variable: start and count per axis in MATLAB's order. Converted to Out one by one.
template <class Out>
void read_part(mat_t* file, matvar_t& v, std::vector<int> start, std::vector<int> count, Out* out,
               const std::string& path) {
  std::size_t n = 1;
  for (int c : count) n *= static_cast<std::size_t>(c);
  std::vector<int> stride(start.size(), 1);
  with_element_type(v, [&](auto zero) {
    std::vector<decltype(zero)> buffer(n);
    if (Mat_VarReadData(file, &v, buffer.data(), start.data(), stride.data(), count.data()) != 0)
      throw InputError(path, fmt::format("the data of '{}' cannot be read", v.name), "a complete MAT file");
    std::transform(buffer.begin(), buffer.end(), out, [](auto x) { return static_cast<Out>(x); });
  });
}

/// zlib shrinks by at most 1032; sizes beyond that are not what the file holds.
void check_size(const matvar_t& v, const std::string& path) {
  long double bytes = Mat_SizeOfClass(v.class_type);
  for (int a = 0; a < v.rank; ++a) bytes *= static_cast<long double>(v.dims[a]);
  if (bytes > 1100.0L * static_cast<long double>(std::filesystem::file_size(path)))
    throw InputError(path,
                     fmt::format("'{}' claims {:.0f} bytes, more than the file can hold", v.name,
                                 static_cast<double>(bytes)),
                     "a complete MAT file");
  for (int a = 0; a < v.rank; ++a)
    if (v.dims[a] > 0x7fffffff)
      throw InputError(path, fmt::format("'{}' has an axis of {}", v.name, v.dims[a]), "less than 2^31");
}

}  // namespace

std::vector<double> read_small(mat_t* file, matvar_t& v, const std::string& path) {
  check_size(v, path);
  std::size_t n = 1;
  std::vector<int> count;
  for (int a = 0; a < v.rank; ++a) {
    n *= v.dims[a];
    count.push_back(static_cast<int>(v.dims[a]));
  }
  if (n > (1u << 28)) throw InputError(path, fmt::format("'{}' has {} elements", v.name, n), "a short list");
  std::vector<double> values(n);
  if (n > 0) read_part(file, v, std::vector<int>(count.size(), 0), count, values.data(), path);
  return values;
}

}  // namespace aetos::io::mat

namespace aetos::io {
namespace {

/// An unknown filter of a version 7.3 file is found here, by name; matio only says that reading failed.
void check_filters(mat_t* file, const std::string& path, const std::string& name) {
  if (Mat_GetVersion(file) != MAT_FT_MAT73) return;
  const hdf5::File h5 = hdf5::open_for_reading(path);
  const hdf5::Dataset data(H5Dopen2(h5.get(), name.c_str(), H5P_DEFAULT));
  if (data) hdf5::check_readable(data.get(), path);
}

/// The variable that a source means: the one named, or the only numeric one with three axes. A single image
/// may be meant where nothing has three axes, since MATLAB drops a last axis of length one.
mat::Variable choose_array(mat_t* file, const Source& source, bool image_allowed) {
  auto variables = mat::list(file, source.file);
  const auto usable = [&](const mat::Variable& v, int rank) {
    return mat::is_numeric(*v) && v->rank == rank && (source.array.empty() || source.array == v->name);
  };
  std::vector<std::size_t> fit;
  for (std::size_t i = 0; i < variables.size(); ++i)
    if (usable(variables[i], 3)) fit.push_back(i);
  if (fit.empty() && image_allowed)
    for (std::size_t i = 0; i < variables.size(); ++i)
      if (usable(variables[i], 2) && (!source.array.empty() || variables.size() == 1)) fit.push_back(i);
  const std::string holds = "holds " + mat::describe(variables);
  if (fit.empty())
    throw InputError(source.file, holds,
                     source.array.empty() ? "a real numeric array of three axes (not complex, cell or struct)"
                                          : "a real numeric 3D array named '" + source.array + "'");
  if (fit.size() > 1)
    throw InputError(
        source.file, "several 3D arrays: " + holds,
        fmt::format("one of them named after a colon, as in {}:{}", source.file, variables[fit[0]]->name));
  mat::Variable chosen = std::move(variables[fit[0]]);
  mat::check_size(*chosen, source.file);
  check_filters(file, source.file, chosen->name);
  for (int a = 0; a < chosen->rank; ++a)
    if (chosen->dims[a] == 0)
      throw InputError(source.file, fmt::format("'{}' is empty", chosen->name), "an array with elements");
  return chosen;
}

std::array<std::size_t, 3> shape_of(const matvar_t& v) {
  return {v.rank == 3 ? v.dims[2] : 1, v.dims[1], v.dims[0]};
}

}  // namespace

TiltSeriesInfo mat_series_info(const Source& source) {
  const mat::File file = mat::open(source.file);
  const mat::Variable v = choose_array(file.get(), source, true);
  const auto shape = shape_of(*v);
  TiltSeriesInfo info;
  info.tilts = shape[0];
  info.ny = shape[1];
  info.nx = shape[2];
  info.signals = {""};
  info.is_counts = mat::is_integer(*v);
  return info;
}

VolumeInfo mat_volume_info(const Source& source) {
  const mat::File file = mat::open(source.file);
  VolumeInfo info;
  info.shape = shape_of(*choose_array(file.get(), source, false));
  return info;
}

Array<float, 3> mat_read(const Source& source, const Box3& box) {
  const mat::File file = mat::open(source.file);
  const mat::Variable v = choose_array(file.get(), source, true);
  check_box(source.file, box, shape_of(*v));
  Array<float, 3> out({box.count[0], box.count[1], box.count[2]});
  if (out.empty()) return out;
  if (v->rank == 2) {
    // matio 1.5.23 ignores where the part of an uncompressed 2D array starts, so an image is read whole and
    // cut.
    const std::vector<double> image = mat::read_small(file.get(), *v, source.file);
    for (std::size_t y = 0; y < box.count[1]; ++y)
      for (std::size_t x = 0; x < box.count[2]; ++x)
        out(0, y, x) = static_cast<float>(image[(box.start[1] + y) * v->dims[0] + box.start[2] + x]);
    return out;
  }
  std::vector<int> start, count;
  for (std::size_t a = 3; a-- > 0;) {
    start.push_back(static_cast<int>(box.start[a]));
    count.push_back(static_cast<int>(box.count[a]));
  }
  mat::read_part(file.get(), *v, start, count, out.data(), source.file);
  return out;
}

}  // namespace aetos::io
