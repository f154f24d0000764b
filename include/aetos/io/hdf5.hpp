#pragma once

#include <hdf5.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/parallel/communicator.hpp"

/// HDF5's C interface as owned values and exceptions. Files are read with plain POSIX calls, by each rank
/// alone (collective reads of Open MPI 4.1's OMPIO are wrong for uneven selections), and written
/// collectively.
namespace aetos::io::hdf5 {

/// Owns one HDF5 identifier and closes it with the function that its kind needs.
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }
  void reset() {
    if (id_ >= 0) Close(std::exchange(id_, H5I_INVALID_HID));
  }
  /// Gives the identifier up, to close it with a check.
  hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }

 private:
  hid_t id_ = H5I_INVALID_HID;
};
using File = Handle<H5Fclose>;
using Group = Handle<H5Gclose>;
using Dataset = Handle<H5Dclose>;
using Space = Handle<H5Sclose>;
using Type = Handle<H5Tclose>;
using Attribute = Handle<H5Aclose>;
using PropertyList = Handle<H5Pclose>;

/// HDF5's own innermost words on what went wrong last.
std::string last_error();
/// Returns a valid identifier (or status); throws ResourceError "ACTION: what HDF5 says" for a negative one.
hid_t check(hid_t id, const std::string& action);
/// A new property list of a class such as H5P_DATASET_XFER.
PropertyList property_list(hid_t kind);

/// Opens a file to read it alone. InputError if it is missing, empty, truncated or not HDF5; ResourceError
/// that names HDF5_USE_FILE_LOCKING if another program holds it or the file system has no locks.
File open_for_reading(const std::string& path);
/// Creates (or replaces) a file that all ranks write together, on the communicator's own plain duplicate.
/// MPI-IO gets the communicator's hints.
/// Reserves `bytes` on the disk first and throws ResourceError if there is not so much: HDF5 ends in a
/// deadlock or a crash when the disk is full in the middle of a collective write.
File create_parallel(const Communicator& comm, const std::string& path, std::uint64_t bytes);

/// UTF-8 text of any length.
Type text_type();

// Groups and attributes. When writing, every rank calls with the same values.
Group create_group(hid_t parent, const std::string& name);
void write_attribute(hid_t object, const std::string& name, double value);
void write_attribute(hid_t object, const std::string& name, int value);
void write_attribute(hid_t object, const std::string& name, std::uint64_t value);
void write_attribute(hid_t object, const std::string& name, const std::string& text);
bool has_link(hid_t group, const std::string& name);
/// File and address of an object, the same by whatever links it was reached.
using ObjectPlace = std::pair<unsigned long, haddr_t>;
ObjectPlace place_of(hid_t object);
/// Names of the members of a group, in alphabetical order.
std::vector<std::string> member_names(hid_t group);
std::vector<std::string> attribute_names(hid_t object);
/// A numeric attribute of one element; empty if absent or of another kind.
std::optional<double> read_number(hid_t object, const std::string& name);
std::optional<std::uint64_t> read_unsigned(hid_t object, const std::string& name);
std::optional<std::string> read_text(hid_t object, const std::string& name);

/// Shape of a dataset.
std::vector<hsize_t> shape_of(hid_t dataset);
/// Whether a type is an integer, an enumeration (h5py stores logical arrays so) or a float, of a size that
/// numbers have: HDF5 makes room for elements of whatever size a file names.
bool is_number(hid_t type);
/// Whether a dataset's elements are integers; empty if they are no numbers at all.
std::optional<bool> is_integer(hid_t dataset);

/// A small dataset of doubles: rank 0 writes, all ranks take part.
Dataset write_small(const Communicator& comm, hid_t group, const std::string& name,
                    const std::vector<hsize_t>& shape, std::span<const double> values);
/// All of a small numeric dataset (at most 2^20 elements), any shape.
std::vector<double> read_small(hid_t group, const std::string& name);
/// What MPI-IO says the hint of an open parallel file is; empty where it does not know the hint.
std::optional<std::string> hint_in_use(hid_t file, const std::string& name);

/// A box of a 3D dataset.
struct Box {
  std::array<hsize_t, 3> start{}, count{};
};

/// Throws InputError naming the filter if a dataset is compressed with one that this HDF5 does not have, or
/// if it declares far more elements than its file can hold.
void check_readable(hid_t dataset, const std::string& file);
/// Reads a box of a 3D numeric dataset as float, in calls of at most `limit_bytes`.
Array<float, 3> read_box(hid_t dataset, const Box& box, std::size_t limit_bytes = std::size_t{1} << 30);
/// Reads a box of a numeric dataset of any number of axes, in one call.
void read_any_box(hid_t dataset, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count,
                  float* out);
void read_any_box(hid_t dataset, const std::vector<hsize_t>& start, const std::vector<hsize_t>& count,
                  double* out);

/// Creates a float dataset in chunks, compressed (shuffle, deflate) if asked.
Dataset create_chunked(hid_t group, const std::string& name, std::span<const hsize_t> shape,
                       std::span<const hsize_t> chunk, bool compressed);
/// One piece of a collective write: where it goes, and where it starts in the memory that holds it.
struct Piece {
  Box file;
  std::array<hsize_t, 3> memory_start{};
};
/// Writes pieces of a rank's memory (shape `memory`) collectively: ranks may have different numbers of
/// pieces, also none; ranks that have run out take part with empty selections.
void write_pieces(const Communicator& comm, hid_t dataset, const float* data,
                  const std::array<hsize_t, 3>& memory, const std::vector<Piece>& pieces,
                  const std::string& file);

}  // namespace aetos::io::hdf5
