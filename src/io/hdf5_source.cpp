#include <fmt/ranges.h>

#include <algorithm>

#include "aetos/core/error.hpp"
#include "aetos/io/emd.hpp"
#include "aetos/io/hdf5_input.hpp"
#include "aetos/io/source.hpp"

namespace aetos::io {
namespace {

std::string shape_text(const std::vector<hsize_t>& shape) {
  return fmt::format("{}", fmt::join(shape, " x "));
}

/// The array groups that a request may mean: 3D, numeric, of the name asked for.
std::vector<emd::ArrayEntry> candidates(hid_t file, const Source& source) {
  const auto all = emd::find_arrays(file);
  std::vector<emd::ArrayEntry> fit;
  std::string listed;
  for (const auto& entry : all) {
    listed += fmt::format("{}{} ({})", listed.empty() ? "" : ", ", entry.name, shape_text(entry.shape));
    if (!source.array.empty() && source.array != entry.name && source.array != entry.path) continue;
    if (entry.shape.size() == 3 && entry.integer) fit.push_back(entry);
  }
  if (all.empty())
    throw InputError(source.file, "an HDF5 file without array groups of the EMD layout",
                     "groups with emd_group_type = 1 that hold data, dim1, dim2, dim3");
  if (fit.empty())
    throw InputError(
        source.file, "holds " + listed,
        source.array.empty() ? "a numeric array of three axes" : "a 3D array named " + source.array);
  return fit;
}

std::string content_of(hid_t file) {
  if (!hdf5::has_link(file, "aetos")) return {};
  const hdf5::Group group(H5Gopen2(file, "aetos", H5P_DEFAULT));
  return group ? hdf5::read_text(group.get(), "content").value_or("") : "";
}

/// The group of our own additions; empty for other programs' files.
hdf5::Group own_group(hid_t file) {
  if (!hdf5::has_link(file, "aetos")) return {};
  return hdf5::Group(H5Gopen2(file, "aetos", H5P_DEFAULT));
}

std::vector<EulerAngles> read_euler(hid_t group) {
  if (!hdf5::has_link(group, "euler_deg")) return {};
  const auto values = hdf5::read_small(group, "euler_deg");
  std::vector<EulerAngles> angles;
  for (std::size_t i = 0; i + 2 < values.size(); i += 3)
    angles.push_back({values[i], values[i + 1], values[i + 2]});
  return angles;
}

std::vector<double> read_list(hid_t group, const std::string& name) {
  return hdf5::has_link(group, name) ? hdf5::read_small(group, name) : std::vector<double>{};
}

}  // namespace

TiltSeriesInfo hdf5_series_info(const Source& source) {
  return hdf5::read_input(source.file, [&](hid_t file) {
    if (content_of(file) == "volume") throw InputError(source.file, "holds a volume", "a tilt series");
    const auto arrays = candidates(file, source);
    const emd::ArrayEntry& first = arrays.front();
    TiltSeriesInfo info;
    info.tilts = first.shape[0];
    info.ny = first.shape[1];
    info.nx = first.shape[2];
    info.is_counts = true;
    for (const auto& array : arrays) {
      if (array.shape != first.shape) {
        if (source.array.empty())
          throw InputError(source.file,
                           fmt::format("arrays of unequal shape: {} ({}), {} ({})", first.name,
                                       shape_text(first.shape), array.name, shape_text(array.shape)),
                           "one name after a colon, as in file.h5:" + first.name);
        continue;
      }
      info.signals.push_back(array.name);
      info.is_counts &= *array.integer;
    }
    if (!emd::angles_deg(first.axes[0]) && emd::angles_deg(first.axes[2]))
      throw InputError(
          source.file,
          fmt::format("an array of {} whose last axis holds the tilt angles", shape_text(first.shape)),
          "the order (tilt, y, x)");
    info.pixel_A = emd::pixel_A(first.axes[2]);
    if (!info.pixel_A) info.pixel_A = emd::pixel_A(first.axes[1]);
    if (const auto thetas = emd::angles_deg(first.axes[0]); thetas && thetas->size() == info.tilts)
      for (double theta : *thetas) info.angles.push_back({0, theta, 0});
    info.microscope = emd::read_metadata(file, "microscope");
    info.sample = emd::read_metadata(file, "sample");
    if (const hdf5::Group own = own_group(file)) {
      if (const auto pixel = hdf5::read_number(own.get(), "pixel_A")) info.pixel_A = pixel;
      info.electrons_per_pixel = hdf5::read_number(own.get(), "electrons_per_pixel");
      info.is_counts = hdf5::read_number(own.get(), "is_counts").value_or(0) != 0;
      if (auto angles = read_euler(own.get()); angles.size() == info.tilts) info.angles = std::move(angles);
    }
    return info;
  });
}

VolumeInfo hdf5_volume_info(const Source& source) {
  return hdf5::read_input(source.file, [&](hid_t file) {
    if (content_of(file) == "tilt series") throw InputError(source.file, "holds a tilt series", "a volume");
    const auto arrays = candidates(file, source);
    if (arrays.size() > 1) {
      std::string listed;
      for (const auto& a : arrays) listed += (listed.empty() ? "" : ", ") + a.name;
      throw InputError(source.file, "several arrays: " + listed,
                       "one name after a colon, as in file.h5:" + arrays[0].name);
    }
    VolumeInfo info;
    for (std::size_t a = 0; a < 3; ++a) info.shape[a] = arrays[0].shape[a];
    info.voxel_A = emd::pixel_A(arrays[0].axes[2]);
    if (!info.voxel_A) info.voxel_A = emd::pixel_A(arrays[0].axes[0]);
    if (const hdf5::Group own = own_group(file)) {
      if (const auto voxel = hdf5::read_number(own.get(), "voxel_A")) info.voxel_A = voxel;
      info.reconstruction = emd::read_metadata(own.get(), "reconstruction");
      info.r_history = read_list(own.get(), "r_factor_history");
      info.r_per_projection = read_list(own.get(), "r_factor_per_projection");
      info.angles = read_euler(own.get());
    }
    return info;
  });
}

Array<float, 3> hdf5_read(const Source& source, const std::string& signal, const Box3& box) {
  return hdf5::read_input(source.file, [&](hid_t file) {
    Source wanted = source;
    if (!signal.empty()) wanted.array = signal;
    const emd::ArrayEntry array = candidates(file, wanted).front();
    check_box(source.file, box, {array.shape[0], array.shape[1], array.shape[2]});
    const hdf5::Dataset data(hdf5::check(H5Dopen2(file, (array.path + "/data").c_str(), H5P_DEFAULT),
                                         "cannot open " + array.path));
    hdf5::check_readable(data.get(), source.file);
    hdf5::Box part;
    for (std::size_t a = 0; a < 3; ++a) {
      part.start[a] = box.start[a];
      part.count[a] = box.count[a];
    }
    return hdf5::read_box(data.get(), part);
  });
}

}  // namespace aetos::io
