#pragma once

#include <array>
#include <optional>
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
/// Flushes and closes a file that all ranks wrote; throws on every rank if it failed on any.
void close_checked(const Communicator& comm, hdf5::File& file, const std::string& name);
}  // namespace aetos::io
