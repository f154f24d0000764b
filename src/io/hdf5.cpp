#include "aetos/io/hdf5.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/disk_space.hpp"
#include "hdf5_limits.hpp"

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

PropertyList property_list(hid_t kind) {
  return PropertyList(check(H5Pcreate(kind), "HDF5 property list"));
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
  const std::uint64_t needed = file_bytes(bytes);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) throw ResourceError(fmt::format("cannot write '{}': {}", path, std::strerror(errno)));
  const int status = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(needed));
  const int error = status == 0 ? 0 : errno;
  ::close(fd);
  const auto free = free_bytes(path);
  const bool too_little = error != 0 && free && *free < static_cast<double>(needed);
  if (error == ENOSPC || error == EDQUOT || too_little)
    throw ResourceError(fmt::format("not enough space on the disk for '{}': {:.1f} MiB are needed{}", path,
                                    static_cast<double>(needed) / 1048576,
                                    free ? fmt::format(", {:.1f} are free", *free / 1048576) : ""));
}

/// Whether files may be written by Open MPI's own OMPIO: unless ROMIO was asked for, or OMPIO excluded
/// (`^ompio`), nobody can tell. mpirun --mca io sets this variable, too.
bool may_be_ompio() {
#ifdef OPEN_MPI
  const char* io = std::getenv("OMPI_MCA_io");
  if (io == nullptr) return true;
  const std::string_view components(io);
  if (components.starts_with('^')) return components.find("ompio") == std::string_view::npos;
  return !components.starts_with("romio");
#else
  return false;
#endif
}

/// OMPIO of Open MPI 4.1.4 writes wrong files with a number of aggregators that it did not choose itself (2
/// of 8 on three ranks, noticed when they were read back).
FileHints safe_hints(const Communicator& comm) {
  FileHints hints = comm.file_hints();
  if (hints.empty() || !comm.any(may_be_ompio())) return hints;
  const auto dropped = std::erase_if(
      hints, [](const auto& hint) { return hint.first == "cb_nodes" || hint.first == "num_aggregators"; });
  if (dropped > 0)
    log::warn(
        "files.aggregators (cb_nodes, num_aggregators) is left out: Open MPI's OMPIO writes wrong files with "
        "it; its ROMIO takes it "
        "(OMPI_MCA_io=romio321 with Open MPI 4)");
  return hints;
}

/// Owns an MPI_Info; MPI_INFO_NULL where there is nothing to say.
class Hints {
 public:
  explicit Hints(const FileHints& hints) {
    if (hints.empty()) return;
    MPI_Info_create(&info_);
    for (const auto& [name, value] : hints) MPI_Info_set(info_, name.c_str(), value.c_str());
  }
  ~Hints() {
    if (info_ != MPI_INFO_NULL) MPI_Info_free(&info_);
  }
  Hints(const Hints&) = delete;
  Hints& operator=(const Hints&) = delete;
  MPI_Info get() const { return info_; }

 private:
  MPI_Info info_ = MPI_INFO_NULL;
};

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
  const FileHints safe = safe_hints(comm);
  const Hints hints(safe);
  check(H5Pset_fapl_mpio(access.get(), comm.handle(), hints.get()), "HDF5 over MPI");
  check(H5Pset_coll_metadata_write(access.get(), true), "HDF5 over MPI");
  const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get());
  comm.agree([&] { check(id, fmt::format("cannot create '{}'", path)); });
  File file(id);
  for (const auto& [name, value] : safe)
    log::debug("MPI-IO hint {}: {} asked, {} in use", name, value, hint_in_use(id, name).value_or("nothing"));
  comm.agree([&] {
    if (comm.is_root()) reserve(path, bytes);
  });
  return file;
}

std::optional<std::string> hint_in_use(hid_t file, const std::string& name) {
  const PropertyList access(check(H5Fget_access_plist(file), "HDF5 over MPI"));
  void* handle = nullptr;
  check(H5Fget_vfd_handle(file, access.get(), &handle), "HDF5 over MPI");
  MPI_Info info = MPI_INFO_NULL;
  MPI_File_get_info(*static_cast<MPI_File*>(handle), &info);
  if (info == MPI_INFO_NULL) return {};
  char value[MPI_MAX_INFO_VAL + 1] = {};
  int found = 0;
  MPI_Info_get(info, name.c_str(), MPI_MAX_INFO_VAL, value, &found);
  MPI_Info_free(&info);
  if (!found) return {};
  return std::string(value);
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

}  // namespace

Type text_type() {
  Type type(check(H5Tcopy(H5T_C_S1), "HDF5 text type"));
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

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

ObjectPlace place_of(hid_t object) {
#if H5_VERSION_GE(1, 12, 0)
  H5O_info1_t info;
#else
  H5O_info_t info;
#endif
  check(H5Oget_info2(object, &info, H5O_INFO_BASIC), "cannot read an HDF5 object");
  return {info.fileno, info.addr};
}

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

bool is_number(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  return (kind == H5T_INTEGER || kind == H5T_ENUM || kind == H5T_FLOAT) && H5Tget_size(type) <= 16;
}

std::optional<double> read_number(hid_t object, const std::string& name) {
  if (H5Aexists(object, name.c_str()) <= 0) return {};
  const Attribute attribute(
      check(H5Aopen(object, name.c_str(), H5P_DEFAULT), "cannot open an HDF5 attribute"));
  const Space space(H5Aget_space(attribute.get()));
  const Type type(H5Aget_type(attribute.get()));
  double value = 0;
  if (!is_number(type.get()) || H5Sget_simple_extent_npoints(space.get()) != 1) return {};
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
    const auto read = [&] {
      const HeapReadLimits limits(object);
      return H5Aread(attribute.get(), memory.get(), &data);
    };
    if (read() < 0 || data == nullptr) return {};
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

}  // namespace aetos::io::hdf5
