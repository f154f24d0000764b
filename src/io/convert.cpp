#include "aetos/io/convert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "aetos/core/error.hpp"
#include "aetos/core/version.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/emd.hpp"
#include "aetos/io/mrc_file.hpp"
#include "aetos/io/source.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/text_fields.hpp"

namespace aetos::io {
namespace {

namespace fs = std::filesystem;
using Notes = std::vector<std::string>;
/// One image or plane of an array, (1, y, x).
using Section = std::function<Array<float, 3>(std::size_t)>;

enum class Target { hdf5, emd1, mrc, atoms };

Target target_of(const std::string& out) {
  const std::string name = lower_case(fs::path(out).filename().string());
  if (name.ends_with(".emd1.h5")) return Target::emd1;
  if (name.ends_with(".h5") || name.ends_with(".hdf5") || name.ends_with(".emd")) return Target::hdf5;
  if (name.ends_with(".mrc") || name.ends_with(".st") || name.ends_with(".rec") || name.ends_with(".ccp4"))
    return Target::mrc;
  if (name.ends_with(".extxyz") || name.ends_with(".xyz")) return Target::atoms;
  throw InputError(out, "an extension that is not written", ".h5, .emd1.h5, .mrc or .extxyz");
}

/// What is to be converted: a tilt series or a volume. `name_in` of each signal in the file.
struct Arrays {
  bool is_volume = false;
  TiltSeriesInfo series;  ///< also a volume's sizes and pixel, as far as they go
  VolumeInfo volume;
  Provenance provenance;
};

bool name_of_a_volume(const std::string& name) {
  for (const char* word : {"vol", "rec", "truth", "mask", "support", "density"})
    if (lower_case(name).find(word) != std::string::npos) return true;
  return false;
}

/// HDF5 files of ours say what they hold, MRC files by their space group, others by their angles or their
/// name.
bool holds_volume(const Source& source, Notes& notes) {
  if (source.format == Format::hdf5) {
    try {
      const TiltSeriesInfo info = hdf5_series_info(source);
      return info.angles.empty() && hdf5_volume_info(source).shape[0] == info.tilts &&
             !read_provenance(source.file);
    } catch (const InputError&) {
      return true;
    }
  }
  if (source.format == Format::mrc) {
    const mrc::Header h = mrc::read_header(source.file);
    return h.is_volume && mrc::angles_beside(source.file, h.shape[0]).empty();
  }
  const bool volume =
      name_of_a_volume(source.array.empty() ? fs::path(source.file).stem().string() : source.array);
  notes.push_back(
      fmt::format("taken as a {} by its name", volume ? "volume (z, y, x)" : "tilt series (tilt, y, x)"));
  return volume;
}

Arrays look_at(const std::string& in, const Source& source, Notes& notes) {
  Arrays a;
  a.is_volume = holds_volume(source, notes);
  if (source.format == Format::hdf5)
    if (const auto provenance = read_provenance(source.file)) a.provenance = *provenance;
  if (a.is_volume)
    a.volume = read_volume_info(in);
  else
    a.series = read_tilt_series_info(in);
  if (!(a.is_volume ? a.volume.voxel_A : a.series.pixel_A))
    notes.push_back("pixel size unknown: none is written");
  if (!a.is_volume && a.series.angles.empty()) notes.push_back("tilt angles unknown: none are written");
  return a;
}

std::string signal_name(const std::string& name) {
  return name.empty() ? "images" : name;
}

void to_hdf5(const std::string& in, const std::string& out, const Arrays& a) {
  const Communicator self(MPI_COMM_SELF);
  if (a.is_volume) {
    const auto volume = read_volume_planes(in, {0, a.volume.shape[0]});
    write_volume(self, out, a.volume, a.provenance, {0, a.volume.shape[1]}, volume);
    return;
  }
  TiltSeriesInfo info = a.series;
  for (std::string& name : info.signals) name = signal_name(name.substr(name.find_last_of('/') + 1));
  TiltSeriesWriter writer(self, out, info, a.provenance);
  for (std::size_t s = 0; s < info.signals.size(); ++s)
    for (std::size_t t = 0; t < info.tilts; ++t)
      writer.write(info.signals[s], {t}, read_tilt_series_images(in, a.series.signals[s], {t, t + 1}));
  writer.commit();
}

/// What MRC has no place for.
void note_losses(const Arrays& a, const std::string& signal, Notes& notes) {
  std::string others;
  for (const std::string& s : a.series.signals)
    if (s != signal) others += (others.empty() ? "" : ", ") + s;
  if (!others.empty())
    notes.push_back(fmt::format("MRC holds one signal: {} is written, {} not", signal, others));
  if (std::any_of(a.series.angles.begin(), a.series.angles.end(),
                  [](const auto& e) { return e.phi_deg != 0 || e.psi_deg != 0; }))
    notes.push_back("phi and psi of the projections are lost: .rawtlt holds theta alone");
  if (!a.volume.r_history.empty() || !a.volume.angles.empty())
    notes.push_back("the R-factor history and the angles of the reconstruction are lost");
  if (!a.series.microscope.numbers.empty() || !a.series.sample.texts.empty() ||
      !a.provenance.config_text.empty() || !a.volume.reconstruction.texts.empty())
    notes.push_back("microscope, sample, config and seed are lost: MRC has no place for them");
}

void to_mrc(const std::string& in, const std::string& out, const Arrays& a, Notes& notes) {
  if (a.is_volume) {
    note_losses(a, {}, notes);
    mrc::write(out, a.volume.shape, a.volume.voxel_A, true, [&](std::size_t z) {
      return read_volume_planes(in, {z, z + 1});
    });
    return;
  }
  const std::string signal = choose_signal(a.series, "auto", in);
  note_losses(a, signal, notes);
  mrc::write(out, {a.series.tilts, a.series.ny, a.series.nx}, a.series.pixel_A, false, [&](std::size_t t) {
    return read_tilt_series_images(in, signal, {t, t + 1});
  });
  if (a.series.angles.empty()) return;
  std::string text;
  for (const EulerAngles& angle : a.series.angles) text += fmt::format("{}\n", angle.theta_deg);
  const fs::path angles = fs::path(out).replace_extension(".rawtlt");
  write_file_atomically(angles, text);
  notes.push_back("tilt angles are in " + angles.string());
}

// --- EMD 1.0, as the package emdfile (py4DSTEM's) writes it: a file, in it a root, in it arrays.

hdf5::Group emd1_group(hid_t parent, const std::string& name, const std::string& type,
                       const std::string& python_class) {
  hdf5::Group group = hdf5::create_group(parent, name);
  hdf5::write_attribute(group.get(), "emd_group_type", type);
  hdf5::write_attribute(group.get(), "python_class", python_class);
  return group;
}

void emd1_array(const Communicator& self, hid_t root, const std::string& name,
                const std::array<emd::Axis, 3>& axes, const Section& section, const std::string& file) {
  const hdf5::Group group = emd1_group(root, name, "array", "Array");
  std::array<hsize_t, 3> shape{};
  for (std::size_t i = 0; i < 3; ++i) {
    shape[i] = axes[i].values.size();
    const auto dim =
        hdf5::write_small(self, group.get(), fmt::format("dim{}", i), {shape[i]}, axes[i].values);
    hdf5::write_attribute(dim.get(), "name", axes[i].name);
    hdf5::write_attribute(dim.get(), "units", axes[i].units.substr(1, axes[i].units.size() - 2));
  }
  const auto data =
      hdf5::create_chunked(group.get(), "data", shape, std::array<hsize_t, 3>{1, shape[1], shape[2]}, true);
  hdf5::write_attribute(data.get(), "units", std::string("intensity"));
  for (std::size_t i = 0; i < shape[0]; ++i)
    hdf5::write_pieces(self, data.get(), section(i).data(), {1, shape[1], shape[2]},
                       {{{{i, 0, 0}, {1, shape[1], shape[2]}}, {}}}, file);
}

std::array<emd::Axis, 3> axes_of(const Arrays& a) {
  if (a.is_volume)
    return {emd::spatial_axis("z", a.volume.shape[0], a.volume.voxel_A),
            emd::spatial_axis("y", a.volume.shape[1], a.volume.voxel_A),
            emd::spatial_axis("x", a.volume.shape[2], a.volume.voxel_A)};
  emd::Axis tilt{"tilt", a.series.angles.empty() ? "[px]" : "[deg]", {}};
  for (std::size_t t = 0; t < a.series.tilts; ++t)
    tilt.values.push_back(a.series.angles.empty() ? static_cast<double>(t) : a.series.angles[t].theta_deg);
  return {tilt, emd::spatial_axis("y", a.series.ny, a.series.pixel_A),
          emd::spatial_axis("x", a.series.nx, a.series.pixel_A)};
}

void to_emd1(const std::string& in, const std::string& out, const Arrays& a, Notes& notes) {
  const Communicator self(MPI_COMM_SELF);
  PartialFile file(self, out);
  file.create(sizeof(float) * (a.is_volume
                                   ? a.volume.shape[0] * a.volume.shape[1] * a.volume.shape[2]
                                   : a.series.signals.size() * a.series.tilts * a.series.ny * a.series.nx));
  hdf5::write_attribute(file.get(), "emd_group_type", std::string("file"));
  hdf5::write_attribute(file.get(), "version_major", 1);
  hdf5::write_attribute(file.get(), "version_minor", 0);
  hdf5::write_attribute(file.get(), "authoring_program", fmt::format("AETOS {}", kVersion));
  {
    const hdf5::Group root = emd1_group(file.get(), "aetos", "root", "Root");
    if (a.is_volume) {
      emd1_array(
          self, root.get(), "volume", axes_of(a),
          [&](std::size_t z) {
            return read_volume_planes(in, {z, z + 1});
          },
          file.name());
    } else {
      for (const std::string& signal : a.series.signals)
        emd1_array(
            self, root.get(), signal_name(signal.substr(signal.find_last_of('/') + 1)), axes_of(a),
            [&](std::size_t t) {
              return read_tilt_series_images(in, signal, {t, t + 1});
            },
            file.name());
    }
  }
  file.close();
  file.publish();
  notes.push_back(
      "EMD 1.0 holds the arrays and their axes; angles beyond theta, metadata and provenance are not "
      "written");
}

Notes convert_atoms(const std::string& in, const std::string& out) {
  Notes notes;
  const auto frames = read_structure_frames(in);
  if (frames.size() > 1) notes.push_back(fmt::format("the first of {} frames is written", frames.size()));
  const Structure& s = frames.front();
  if (s.columns.contains("u") && s.columns.contains("occupancy") && lower_case(in).ends_with(".xyz"))
    notes.push_back(
        "occupancy and u (rms displacement per axis, Å) are kept as columns; positions stay where they are");
  write_extxyz(out, s);
  return notes;
}

}  // namespace

std::vector<std::string> convert_file(const std::string& in, const std::string& out) {
  const Target target = target_of(out);
  std::error_code ec;
  if (fs::equivalent(in, out, ec))
    throw InputError(out, "is the input itself", "another name for the output");
  const std::string extension = lower_case(fs::path(in).extension().string());
  const bool atoms = extension == ".xyz" || extension == ".extxyz";
  if (atoms != (target == Target::atoms))
    throw InputError(out, atoms ? "atoms cannot become images" : "images cannot become atoms",
                     atoms ? "a name that ends in .extxyz" : "a name that ends in .h5, .emd1.h5 or .mrc");
  if (atoms) return convert_atoms(in, out);

  Notes notes;
  const Arrays arrays = look_at(in, parse_source(in), notes);
  if (target == Target::mrc)
    to_mrc(in, out, arrays, notes);
  else if (target == Target::emd1)
    to_emd1(in, out, arrays, notes);
  else
    to_hdf5(in, out, arrays);
  return notes;
}

}  // namespace aetos::io
