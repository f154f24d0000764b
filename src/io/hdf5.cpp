#include "aetos/io/hdf5.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "aetos/core/error.hpp"

namespace aetos::io::hdf5 {
namespace {

namespace fs = std::filesystem;

/// HDF5 prints its error stack by itself unless told not to.
void silence() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

herr_t collect(unsigned, const H5E_error2_t* error, void* out) {
  auto& text = *static_cast<std::string*>(out);
  if (error->desc != nullptr && *error->desc != '\0') text = error->desc;
  return text.empty() ? 0 : 1;
}

/// The whole stack as text, to look for a cause in.
herr_t collect_all(unsigned, const H5E_error2_t* error, void* out) {
  auto& text = *static_cast<std::string*>(out);
  if (error->desc != nullptr) text += std::string(error->desc) + "\n";
  return 0;
}

std::string whole_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &collect_all, &text);
  return text;
}

PropertyList property_list(hid_t kind) {
  return PropertyList(check(H5Pcreate(kind), "HDF5 property list"));
}

void check_there(const std::string& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw InputError(path, "no such file", "an HDF5 file");
  if (fs::is_directory(path, ec)) throw InputError(path, "is a folder", "an HDF5 file");
  if (fs::file_size(path, ec) == 0 && !ec)
    throw InputError(path, "the file is empty (0 bytes)", "an HDF5 file");
  if (::access(path.c_str(), R_OK) != 0)
    throw InputError(path, std::strerror(errno), "a file that can be read");
}

bool has_signature(const std::string& path) {
  const htri_t is = H5Fis_hdf5(path.c_str());
  H5Eclear2(H5E_DEFAULT);
  return is > 0;
}

/// "HDF" and friends at the start of the file, whether or not the rest can be read.
bool starts_like_hdf5(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char bytes[8] = {};
  const ssize_t n = ::read(fd, bytes, sizeof bytes);
  ::close(fd);
  return n == 8 && std::memcmp(bytes, "\x89HDF\r\n\x1a\n", 8) == 0;
}

}  // namespace

std::string last_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &collect, &text);
  H5Eclear2(H5E_DEFAULT);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.empty() ? "unknown HDF5 error" : text;
}

hid_t check(hid_t id, const std::string& action) {
  if (id < 0) throw ResourceError(fmt::format("{}: {}", action, last_error()));
  return id;
}

File open_for_reading(const std::string& path) {
  silence();
  check_there(path);
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id >= 0) return File(id);
  const std::string stack = whole_error();
  const std::string cause = last_error();
  if (stack.find("unable to lock") != std::string::npos)
    throw ResourceError(
        fmt::format("{}: cannot be locked for reading ({}); another program is writing it, or the file "
                    "system has no locks: HDF5_USE_FILE_LOCKING=FALSE in the environment reads it anyway",
                    path, cause));
  if (stack.find("consistency flags") != std::string::npos ||
      stack.find("already open for write") != std::string::npos)
    throw ResourceError(
        fmt::format("{}: is marked as open for writing ({}); if no program writes it any more, "
                    "`h5clear -s` repairs the mark; see also HDF5_USE_FILE_LOCKING",
                    path, cause));
  if (!has_signature(path) && !starts_like_hdf5(path))
    throw InputError(path, "is not an HDF5 file", "an HDF5 file");
  throw InputError(path, fmt::format("the HDF5 file is damaged or incomplete ({})", cause),
                   "a complete HDF5 file");
}

namespace {

/// Room for `bytes` and the file's own tables. Blocks are reserved where the file system can do so, else the
/// free space is compared.
void reserve(const std::string& path, std::uint64_t bytes) {
  const std::uint64_t needed = bytes + bytes / 64 + (std::uint64_t{1} << 17);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) throw ResourceError(fmt::format("cannot write '{}': {}", path, std::strerror(errno)));
  const int status = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(needed));
  const int error = status == 0 ? 0 : errno;
  ::close(fd);
  std::error_code ec;
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  const fs::space_info space = fs::space(folder, ec);
  const bool too_little = error != 0 && !ec && space.available < needed;
  if (error == ENOSPC || error == EDQUOT || too_little)
    throw ResourceError(
        fmt::format("not enough space on the disk for '{}': {:.1f} MiB are needed, {:.1f} are free", path,
                    static_cast<double>(needed) / 1048576, static_cast<double>(space.available) / 1048576));
}

}  // namespace

File create_parallel(const Communicator& comm, const std::string& path, std::uint64_t bytes) {
  silence();
  // MPI's message for a folder that is missing or closed to us says little; POSIX's says what it is.
  comm.agree([&] {
    if (!comm.is_root()) return;
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) throw ResourceError(fmt::format("cannot write '{}': {}", path, std::strerror(errno)));
    ::close(fd);
  });
  const PropertyList access = property_list(H5P_FILE_ACCESS);
  check(H5Pset_fapl_mpio(access.get(), comm.handle(), MPI_INFO_NULL), "HDF5 over MPI");
  check(H5Pset_coll_metadata_write(access.get(), true), "HDF5 over MPI");
  const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get());
  comm.agree([&] { check(id, fmt::format("cannot create '{}'", path)); });
  File file(id);
  comm.agree([&] {
    if (comm.is_root()) reserve(path, bytes);
  });
  return file;
}

Group create_group(hid_t parent, const std::string& name) {
  const PropertyList creation = property_list(H5P_GROUP_CREATE);
  H5Pset_obj_track_times(creation.get(), false);
  return Group(check(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
                     fmt::format("cannot create the HDF5 group '{}'", name)));
}

namespace {

void write_scalar(hid_t object, const std::string& name, hid_t file_type, hid_t memory_type,
                  const void* value) {
  const std::string action = fmt::format("cannot write the HDF5 attribute '{}'", name);
  const Space space(check(H5Screate(H5S_SCALAR), action));
  const Attribute attribute(
      check(H5Acreate2(object, name.c_str(), file_type, space.get(), H5P_DEFAULT, H5P_DEFAULT), action));
  check(H5Awrite(attribute.get(), memory_type, value), action);
}

Type text_type() {
  Type type(check(H5Tcopy(H5T_C_S1), "HDF5 text type"));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

}  // namespace

void write_attribute(hid_t object, const std::string& name, double value) {
  write_scalar(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}
void write_attribute(hid_t object, const std::string& name, int value) {
  write_scalar(object, name, H5T_STD_I32LE, H5T_NATIVE_INT, &value);
}
void write_attribute(hid_t object, const std::string& name, std::uint64_t value) {
  write_scalar(object, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, &value);
}
void write_attribute(hid_t object, const std::string& name, const std::string& text) {
  const Type type = text_type();
  const char* data = text.c_str();
  write_scalar(object, name, type.get(), type.get(), &data);
}

bool has_link(hid_t group, const std::string& name) {
  return H5Lexists(group, name.c_str(), H5P_DEFAULT) > 0;
}

namespace {
herr_t append_link(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}
herr_t append_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}
}  // namespace

std::vector<std::string> member_names(hid_t group) {
  std::vector<std::string> names;
  check(H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, &append_link, &names),
        "cannot list an HDF5 group");
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> attribute_names(hid_t object) {
  std::vector<std::string> names;
  hsize_t at = 0;
  check(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, &at, &append_attribute, &names),
        "cannot list attributes");
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<double> read_number(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) <= 0) return {};
  const Attribute attribute(
      check(H5Aopen(object, name.c_str(), H5P_DEFAULT), "cannot open an HDF5 attribute"));
  const Space space(H5Aget_space(attribute.get()));
  const Type type(H5Aget_type(attribute.get()));
  const H5T_class_t kind = H5Tget_class(type.get());
  double value = 0;
  if ((kind != H5T_INTEGER && kind != H5T_FLOAT) || H5Sget_simple_extent_npoints(space.get()) != 1) return {};
  if (H5Aread(attribute.get(), H5T_NATIVE_DOUBLE, &value) < 0) return {};
  return value;
}

std::optional<std::uint64_t> read_unsigned(hid_t object, const std::string& name) {
  if (!read_number(object, name)) return {};  // a double holds 53 bits, a seed has 64
  const Attribute attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT));
  std::uint64_t value = 0;
  if (H5Aread(attribute.get(), H5T_NATIVE_UINT64, &value) < 0) return {};
  return value;
}

std::optional<std::string> read_text(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) <= 0) return {};
  const Attribute attribute(
      check(H5Aopen(object, name.c_str(), H5P_DEFAULT), "cannot open an HDF5 attribute"));
  const Space space(H5Aget_space(attribute.get()));
  const Type type(H5Aget_type(attribute.get()));
  if (H5Tget_class(type.get()) != H5T_STRING || H5Sget_simple_extent_npoints(space.get()) != 1) return {};
  if (H5Tis_variable_str(type.get()) > 0) {
    char* data = nullptr;
    Type memory(H5Tcopy(type.get()));
    if (H5Aread(attribute.get(), memory.get(), &data) < 0 || data == nullptr) return {};
    std::string text = data;
    H5free_memory(data);
    return text;
  }
  const std::size_t size = H5Tget_size(type.get());
  if (size == 0 || size > (std::size_t{1} << 24)) return {};
  std::string text(size, '\0');
  if (H5Aread(attribute.get(), type.get(), text.data()) < 0) return {};
  text.resize(std::min(text.find('\0'), text.size()));
  while (!text.empty() && text.back() == ' ' && H5Tget_strpad(type.get()) == H5T_STR_SPACEPAD)
    text.pop_back();
  return text;
}

std::vector<hsize_t> shape_of(hid_t dataset) {
  const Space space(check(H5Dget_space(dataset), "cannot read an HDF5 dataset's shape"));
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank <= 0) return {};
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr);
  return shape;
}

std::optional<bool> is_integer(hid_t dataset) {
  const Type type(H5Dget_type(dataset));
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind == H5T_INTEGER || kind == H5T_ENUM) return true;  // h5py stores logical arrays as enumerations
  if (kind == H5T_FLOAT) return false;
  return {};
}

Dataset write_small(const Communicator& comm, hid_t group, const std::string& name,
                    const std::vector<hsize_t>& shape, std::span<const double> values) {
  const std::string action = fmt::format("cannot write the HDF5 dataset '{}'", name);
  const Space space(check(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), action));
  const PropertyList creation = property_list(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(creation.get(), false);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  Dataset dataset(check(
      H5Dcreate2(group, name.c_str(), H5T_IEEE_F64LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
      action));
  if (values.empty()) return dataset;
  const Space memory(check(H5Scopy(space.get()), action));
  if (!comm.is_root()) {
    H5Sselect_none(space.get());
    H5Sselect_none(memory.get());
  }
  const PropertyList transfer = property_list(H5P_DATASET_XFER);
  H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
  const herr_t status =
      H5Dwrite(dataset.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), transfer.get(), values.data());
  comm.agree([&] { check(status, action); });
  return dataset;
}

std::vector<double> read_small(hid_t group, const std::string& name) {
  const std::string action = fmt::format("cannot read the HDF5 dataset '{}'", name);
  const Dataset dataset(check(H5Dopen2(group, name.c_str(), H5P_DEFAULT), action));
  std::size_t n = 1;
  for (hsize_t extent : shape_of(dataset.get())) {
    if (extent > (1u << 20)) throw ResourceError(action + ": too large");
    n *= extent;
  }
  if (n > (1u << 20)) throw ResourceError(action + ": too large");
  if (!is_integer(dataset.get())) throw ResourceError(action + ": not numbers");
  std::vector<double> values(n);
  if (n > 0)
    check(H5Dread(dataset.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), action);
  return values;
}

void check_readable(hid_t dataset, const std::string& file) {
  const PropertyList creation(check(H5Dget_create_plist(dataset), "cannot read an HDF5 dataset"));
  const int filters = H5Pget_layout(creation.get()) == H5D_CHUNKED ? H5Pget_nfilters(creation.get()) : 0;
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t values = 0;
    char name[128] = {};
    const H5Z_filter_t id = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &values, nullptr,
                                           sizeof name - 1, name, &config);
    if (id >= 0 && H5Zfilter_avail(id) <= 0)
      throw InputError(
          file, fmt::format("compressed with the HDF5 filter '{}' (number {})", name[0] ? name : "?", id),
          "a filter that this HDF5 has (h5repack -f GZIP=4 converts)");
  }
  // HDF5 makes no chunk that is larger than an axis of fixed length, but believes one that it reads, and
  // would take numbers from behind the chunk's own.
  if (H5Pget_layout(creation.get()) == H5D_CHUNKED) {
    std::array<hsize_t, H5S_MAX_RANK> chunk{}, most{};
    const int rank = H5Pget_chunk(creation.get(), H5S_MAX_RANK, chunk.data());
    const Space space(check(H5Dget_space(dataset), "cannot read an HDF5 dataset's shape"));
    H5Sget_simple_extent_dims(space.get(), nullptr, most.data());
    for (std::size_t a = 0; a < static_cast<std::size_t>(std::max(rank, 0)); ++a)
      if (most[a] != H5S_UNLIMITED && chunk[a] > most[a])
        throw InputError(file, fmt::format("a chunk of {} along an axis of {}", chunk[a], most[a]),
                         "chunks within their array");
  }
  // Deflate shrinks by at most 1032; a file that declares more than that did not come from data.
  long double declared = static_cast<long double>(H5Tget_size(Type(H5Dget_type(dataset)).get()));
  for (hsize_t extent : shape_of(dataset)) declared *= static_cast<long double>(extent);
  const auto stored = static_cast<long double>(H5Dget_storage_size(dataset));
  if (declared > 1100 * stored + 65536)
    throw InputError(file,
                     fmt::format("an array of {:.0f} bytes of which only {:.0f} are stored",
                                 static_cast<double>(declared), static_cast<double>(stored)),
                     "a complete array");
}

namespace {

Space select(hid_t space, const std::array<hsize_t, 3>& start, const std::array<hsize_t, 3>& count) {
  Space copy(check(H5Scopy(space), "HDF5 selection"));
  check(H5Sselect_hyperslab(copy.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        "HDF5 selection");
  return copy;
}

}  // namespace

Array<float, 3> read_box(hid_t dataset, const Box& box, std::size_t limit_bytes) {
  Array<float, 3> out({box.count[0], box.count[1], box.count[2]});
  if (out.empty()) return out;
  const Space space(check(H5Dget_space(dataset), "cannot read an HDF5 dataset"));
  const hsize_t plane = box.count[1] * box.count[2];
  const hsize_t step = std::max<hsize_t>(1, limit_bytes / sizeof(float) / plane);
  for (hsize_t i = 0; i < box.count[0]; i += step) {
    const hsize_t n = std::min(step, box.count[0] - i);
    const std::array<hsize_t, 3> count{n, box.count[1], box.count[2]};
    const Space from = select(space.get(), {box.start[0] + i, box.start[1], box.start[2]}, count);
    const Space to(check(H5Screate_simple(3, count.data(), nullptr), "HDF5 selection"));
    check(H5Dread(dataset, H5T_NATIVE_FLOAT, to.get(), from.get(), H5P_DEFAULT, out.data() + i * plane),
          "cannot read an HDF5 dataset");
  }
  return out;
}

namespace {

template <class Out>
void read_any(hid_t dataset, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count, hid_t type,
              Out* out) {
  const Space from(check(H5Dget_space(dataset), "cannot read an HDF5 dataset"));
  if (static_cast<std::size_t>(H5Sget_simple_extent_ndims(from.get())) != count.size())
    throw ResourceError("cannot read an HDF5 dataset: another number of axes than before");
  check(H5Sselect_hyperslab(from.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        "HDF5 selection");
  const Space to(
      check(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), "HDF5 selection"));
  check(H5Dread(dataset, type, to.get(), from.get(), H5P_DEFAULT, out), "cannot read an HDF5 dataset");
}

}  // namespace

void read_any_box(hid_t dataset, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count,
                  float* out) {
  read_any(dataset, start, count, H5T_NATIVE_FLOAT, out);
}

void read_any_box(hid_t dataset, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count,
                  double* out) {
  read_any(dataset, start, count, H5T_NATIVE_DOUBLE, out);
}

Dataset create_chunked(hid_t group, const std::string& name, const std::array<hsize_t, 3>& shape,
                       const std::array<hsize_t, 3>& chunk, bool compressed) {
  const PropertyList creation = property_list(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(creation.get(), false);
  H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER);
  check(H5Pset_chunk(creation.get(), 3, chunk.data()), "HDF5 chunks");
  if (compressed) {
    check(H5Pset_shuffle(creation.get()), "HDF5 shuffle filter");
    check(H5Pset_deflate(creation.get(), 1), "HDF5 deflate filter");
  }
  const Space space(check(H5Screate_simple(3, shape.data(), nullptr), "HDF5 shape"));
  return Dataset(check(
      H5Dcreate2(group, name.c_str(), H5T_IEEE_F32LE, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT),
      fmt::format("cannot create the HDF5 dataset '{}'", name)));
}

void write_pieces(const Communicator& comm, hid_t dataset, const float* data,
                  const std::array<hsize_t, 3>& memory, const std::vector<Piece>& pieces,
                  const std::string& file) {
  const Space file_space(check(H5Dget_space(dataset), "HDF5 shape"));
  const bool nothing = pieces.empty();
  // A rank without data still needs a valid memory space; one element stands for it.
  const std::array<hsize_t, 3> one{1, 1, 1};
  const Space memory_space(
      check(H5Screate_simple(3, nothing ? one.data() : memory.data(), nullptr), "HDF5 shape"));
  const PropertyList transfer = property_list(H5P_DATASET_XFER);
  H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
  const float none = 0;
  const auto rounds = static_cast<std::size_t>(comm.max(static_cast<double>(pieces.size())));
  for (std::size_t i = 0; i < rounds; ++i) {
    Space to(check(H5Scopy(file_space.get()), "HDF5 shape")),
        from(check(H5Scopy(memory_space.get()), "HDF5 shape"));
    if (i < pieces.size()) {
      to = select(file_space.get(), pieces[i].file.start, pieces[i].file.count);
      from = select(memory_space.get(), pieces[i].memory_start, pieces[i].file.count);
    } else {
      H5Sselect_none(to.get());
      H5Sselect_none(from.get());
    }
    const herr_t status =
        H5Dwrite(dataset, H5T_NATIVE_FLOAT, from.get(), to.get(), transfer.get(), nothing ? &none : data);
    comm.agree([&] {
      if (status >= 0) return;
      std::error_code ec;
      const auto space =
          fs::space(fs::path(file).parent_path().empty() ? "." : fs::path(file).parent_path(), ec);
      const bool full = !ec && space.available < (1u << 20);
      throw ResourceError(
          fmt::format("cannot write '{}': {}", file, full ? "the disk is full" : last_error()));
    });
  }
}

}  // namespace aetos::io::hdf5
