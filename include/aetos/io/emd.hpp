#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aetos/io/hdf5.hpp"
#include "aetos/io/tilt_series.hpp"

/// The Berkeley EMD 0.2 layout (emdatasets.com) on HDF5: every array is a group with emd_group_type = 1 that
/// holds `data` and one dataset dimN per axis, each with a name and units in square brackets. What AETOS adds
/// stands in the group /aetos, out of the way of readers that know EMD alone.
namespace aetos::io::emd {

struct Axis {
  std::string name;
  std::string units;           ///< in square brackets: "[deg]", "[Å]"
  std::vector<double> values;  ///< coordinate of each index; may be empty when read (no such dataset)
};

/// An axis of n pixels about the rotation centre: coordinates (i - n / 2) pixel in Å, or plain indices
/// without one.
Axis spatial_axis(const std::string& name, std::size_t n, std::optional<double> pixel_A);

// Writing; every rank calls with the same values.

/// Version attributes and the metadata groups; returns the group /data for the arrays.
hdf5::Group write_frame(hid_t file, const Metadata& microscope, const Metadata& sample,
                        const Provenance& provenance);
/// The group /aetos with what made the file; further additions go there.
hdf5::Group write_origin(hid_t file, const std::string& content, const Provenance& provenance);
/// An array group with its axes, without the array.
hdf5::Group create_array_group(const Communicator& comm, hid_t data_group, const std::string& name,
                               std::span<const Axis> axes);
/// An array group with its axes; returns the dataset `data`, still to be filled.
hdf5::Dataset create_array(const Communicator& comm, hid_t data_group, const std::string& name,
                           const std::array<Axis, 3>& axes, const std::array<hsize_t, 3>& chunk,
                           bool compressed);
void write_metadata(hid_t group, const Metadata& metadata);

// Reading.

/// One array group of a file.
struct ArrayEntry {
  std::string name;  ///< last part of the path, or all of it where that is not unique
  std::string path;
  std::vector<hsize_t> shape;
  std::vector<Axis> axes;
  std::optional<bool> integer;  ///< empty: not numbers
};

/// Every array group, in alphabetical order of paths.
std::vector<ArrayEntry> find_arrays(hid_t file);
Metadata read_metadata(hid_t file, const std::string& group);
/// Pixel of a spatial axis in Å, from its coordinates and units; empty if it does not say.
std::optional<double> pixel_A(const Axis& axis);
/// Whether an axis holds angles, and its values in degrees.
std::optional<std::vector<double>> angles_deg(const Axis& axis);

}  // namespace aetos::io::emd

namespace aetos::io {
/// Euler angles as a dataset (n, 3) beside the arrays. Collective.
void write_angles(const Communicator& comm, hid_t group, const std::vector<EulerAngles>& angles);

/// A file that all ranks write under a temporary name. Unless it is published the temporary file is removed;
/// whatever else is open in it has to be closed before.
class PartialFile {
 public:
  PartialFile(const Communicator& comm, const std::filesystem::path& path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  /// The temporary name, and the final one.
  const std::string& name() const { return partial_; }
  const std::filesystem::path& path() const { return path_; }
  hid_t get() const { return file_.get(); }
  /// As hdf5::create_parallel. Collective.
  void create(std::uint64_t bytes);
  /// Flushes and closes; throws on every rank if it failed on any. Collective.
  void close();
  /// Fsync and rename to the final name. Collective.
  void publish();

 private:
  const Communicator& comm_;
  std::filesystem::path path_;
  std::string partial_;
  hdf5::File file_;
  bool published_ = false;
};
}  // namespace aetos::io
