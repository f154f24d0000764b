#include "aetos/io/mat_file.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "aetos/core/error.hpp"
#include "aetos/io/hdf5_input.hpp"
#include "mat5_elements.hpp"

namespace aetos::io::mat {
namespace {

constexpr const char* kExpected = "MATLAB's version 5 or 7.3 (save with -v7 or -v7.3)";

hdf5::Dataset open_dataset(hid_t file, const std::string& name) {
  return hdf5::Dataset(H5Dopen2(file, name.c_str(), H5P_DEFAULT));
}

/// Version 7.3: one dataset per array with its class in an attribute; groups are structs. HDF5 shows the axes
/// with the last one fastest.
std::vector<Variable> list_hdf5(const std::string& path, hid_t file) {
  std::vector<Variable> variables;
  for (const auto& name : hdf5::member_names(file)) {
    if (name.starts_with('#')) continue;  // where cells and objects keep their bodies
    Variable v;
    v.name = name;
    const hdf5::Dataset data = open_dataset(file, name);
    if (!data) {
      v.kind = "struct";
      v.dims = {1, 1};
      variables.push_back(std::move(v));
      continue;
    }
    const std::string kind = hdf5::read_text(data.get(), "MATLAB_class").value_or("unknown");
    const auto integer = hdf5::is_integer(data.get());
    static const std::vector<std::string> numbers{"double", "single", "int8",  "uint8",  "int16",  "uint16",
                                                  "int32",  "uint32", "int64", "uint64", "logical"};
    const bool number = std::ranges::find(numbers, kind) != numbers.end();
    v.numeric = number && integer.has_value();
    v.integer = v.numeric && kind != "double" && kind != "single";
    v.kind = number && !integer ? "complex " + kind : kind;
    for (hsize_t extent : hdf5::shape_of(data.get())) v.dims.push_back(extent);
    std::reverse(v.dims.begin(), v.dims.end());
    if (hdf5::read_number(data.get(), "MATLAB_empty").value_or(0) != 0) v.dims = {0, 0};
    if (v.numeric && v.size() > 0) hdf5::check_readable(data.get(), path);
    variables.push_back(std::move(v));
  }
  return variables;
}

template <class Out>
void read_any(const File& file, const Variable& v, const std::vector<std::size_t>& start,
              const std::vector<std::size_t>& count, Out* out) {
  for (std::size_t n : count)
    if (n == 0) return;
  if (!file.hdf5) return mat5::read_box(file.path, v, start, count, out);
  hdf5::read_input(file.path, [&](hid_t h5) {
    const hdf5::Dataset data = open_dataset(h5, v.name);
    hdf5::check(data.get(), "cannot open " + v.name);
    hdf5::read_any_box(data.get(), {start.rbegin(), start.rend()}, {count.rbegin(), count.rend()}, out);
  });
}

}  // namespace

std::size_t Variable::size() const {
  std::size_t n = 1;
  // A product beyond 64 bits is more than any file holds; it must not come out small.
  for (std::size_t extent : dims)
    if (__builtin_mul_overflow(n, extent, &n)) return static_cast<std::size_t>(-1);
  return n;
}

File open(const std::string& path) {
  std::error_code ec;
  if (!std::filesystem::exists(path, ec)) throw InputError(path, "no such file", "a MAT file");
  std::string head(128, '\0');
  std::ifstream in(path, std::ios::binary);
  if (!in.read(head.data(), 128))
    throw InputError(path, "the file is too short for a MAT file", "a complete MAT file");
  File file{path, false, {}};
  // Version 7.3 has the same text header, 512 bytes before HDF5's own; version 4 has none.
  const auto order = head.substr(126, 2);
  file.hdf5 = head.starts_with("MATLAB 7.3");
  if (!file.hdf5 && order != "IM" && order != "MI") throw InputError(path, "is not a MAT file", kExpected);
  if (!file.hdf5 && head[order == "IM" ? 125 : 124] != 1)
    throw InputError(path, "is not a MAT file of version 5 or 7.3", kExpected);
  file.variables =
      file.hdf5 ? hdf5::read_input(path, [&](hid_t h5) { return list_hdf5(path, h5); }) : mat5::list(path);
  if (file.variables.empty()) throw InputError(path, "a MAT file without variables", "an array");
  return file;
}

std::string describe(const std::vector<Variable>& variables) {
  std::string text;
  for (const Variable& v : variables)
    text += fmt::format("{}{} ({}{}{})", text.empty() ? "" : ", ", v.name, fmt::join(v.dims, " x "),
                        v.dims.empty() ? "" : " ", v.kind);
  return text;
}

void read_box(const File& file, const Variable& v, const std::vector<std::size_t>& start,
              const std::vector<std::size_t>& count, double* out) {
  read_any(file, v, start, count, out);
}

void read_box(const File& file, const Variable& v, const std::vector<std::size_t>& start,
              const std::vector<std::size_t>& count, float* out) {
  read_any(file, v, start, count, out);
}

std::vector<double> read_all(const File& file, const Variable& v) {
  if (v.size() > (1u << 28))
    throw InputError(file.path, fmt::format("'{}' has {} elements", v.name, v.size()), "a short list");
  std::vector<double> values(v.size());
  read_any(file, v, std::vector<std::size_t>(v.dims.size(), 0), v.dims, values.data());
  return values;
}

}  // namespace aetos::io::mat

namespace aetos::io {
namespace {

/// The variable that a source means: the one named, or the only numeric one with three axes. A single image
/// may be meant where nothing has three axes, since MATLAB drops a last axis of length one.
const mat::Variable& choose_array(const mat::File& file, const Source& source, bool image_allowed) {
  std::vector<const mat::Variable*> fit;
  const auto collect = [&](std::size_t rank) {
    for (const auto& v : file.variables)
      if (v.numeric && v.dims.size() == rank && (source.array.empty() || source.array == v.name))
        fit.push_back(&v);
  };
  collect(3);
  if (fit.empty() && image_allowed && (!source.array.empty() || file.variables.size() == 1)) collect(2);
  const std::string holds = "holds " + mat::describe(file.variables);
  if (fit.empty())
    throw InputError(source.file, holds,
                     source.array.empty() ? "a real numeric array of three axes (not complex, cell or struct)"
                                          : "a real numeric 3D array named '" + source.array + "'");
  if (fit.size() > 1)
    throw InputError(source.file, "several 3D arrays: " + holds,
                     fmt::format("one of them named after a colon, as in {}:{}", source.file, fit[0]->name));
  const mat::Variable& chosen = *fit[0];
  if (chosen.size() == 0)
    throw InputError(source.file, fmt::format("'{}' is empty", chosen.name), "an array with elements");
  return chosen;
}

std::array<std::size_t, 3> shape_of(const mat::Variable& v) {
  return {v.dims.size() == 3 ? v.dims[2] : 1, v.dims[1], v.dims[0]};
}

}  // namespace

TiltSeriesInfo mat_series_info(const Source& source) {
  const mat::File file = mat::open(source.file);
  const mat::Variable& v = choose_array(file, source, true);
  const auto shape = shape_of(v);
  TiltSeriesInfo info;
  info.tilts = shape[0];
  info.ny = shape[1];
  info.nx = shape[2];
  info.signals = {""};
  info.is_counts = v.integer;
  return info;
}

VolumeInfo mat_volume_info(const Source& source) {
  const mat::File file = mat::open(source.file);
  VolumeInfo info;
  info.shape = shape_of(choose_array(file, source, false));
  return info;
}

Array<float, 3> mat_read(const Source& source, const Box3& box) {
  const mat::File file = mat::open(source.file);
  const mat::Variable& v = choose_array(file, source, true);
  check_box(source.file, box, shape_of(v));
  Array<float, 3> out({box.count[0], box.count[1], box.count[2]});
  std::vector<std::size_t> start, count;
  for (std::size_t a = 3; a-- > 3 - v.dims.size();) {
    start.push_back(box.start[a]);
    count.push_back(box.count[a]);
  }
  mat::read_box(file, v, start, count, out.data());
  return out;
}

}  // namespace aetos::io
