#include "aetos/io/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/emd.hpp"
#include "aetos/io/hdf5_input.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/io/mat_file.hpp"
#include "aetos/io/mrc_file.hpp"
#include "aetos/io/source.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/text_fields.hpp"

namespace aetos::io {
namespace {

using nlohmann::json;

json number_or_null(const std::optional<double>& value) {
  return value ? json(*value) : json(nullptr);
}

json to_json(const Metadata& metadata) {
  json out = json::object();
  for (const auto& [name, value] : metadata.numbers) out[name] = value;
  for (const auto& [name, text] : metadata.texts) out[name] = text;
  return out;
}

json to_json(const std::vector<EulerAngles>& angles) {
  if (angles.empty()) return nullptr;
  const auto [low, high] = std::minmax_element(
      angles.begin(), angles.end(), [](const auto& a, const auto& b) { return a.theta_deg < b.theta_deg; });
  const bool plain = std::all_of(angles.begin(), angles.end(),
                                 [](const auto& a) { return a.phi_deg == 0 && a.psi_deg == 0; });
  return {{"count", angles.size()},
          {"theta_min_deg", low->theta_deg},
          {"theta_max_deg", high->theta_deg},
          {"single_axis", plain}};
}

json axis_json(const emd::Axis& axis) {
  json out{{"name", axis.name}, {"units", axis.units}};
  if (!axis.values.empty()) out["first"] = axis.values.front();
  if (!axis.values.empty()) out["last"] = axis.values.back();
  return out;
}

void describe_series(json& out, const TiltSeriesInfo& info) {
  out["holds"] = "tilt series";
  out["pixel_A"] = number_or_null(info.pixel_A);
  out["angles"] = to_json(info.angles);
  out["counts"] = info.is_counts;
  if (info.electrons_per_pixel) out["electrons_per_pixel"] = *info.electrons_per_pixel;
  out["microscope"] = to_json(info.microscope);
  out["sample"] = to_json(info.sample);
}

void describe_volume(json& out, const VolumeInfo& info) {
  out["holds"] = "volume";
  out["pixel_A"] = number_or_null(info.voxel_A);
  out["angles"] = to_json(info.angles);
  out["reconstruction"] = to_json(info.reconstruction);
  if (!info.r_history.empty()) {
    out["iterations"] = info.r_history.size();
    out["r_factor"] = info.r_history.back();
  }
}

json describe_hdf5(const Source& source, hid_t file) {
  json out{{"format", "HDF5"}, {"arrays", json::array()}};
  const auto major = hdf5::read_number(file, "version_major"),
             minor = hdf5::read_number(file, "version_minor");
  if (major && minor) out["format"] = fmt::format("HDF5, EMD {}.{}", *major, *minor);
  bool angles = false;
  for (const auto& entry : emd::find_arrays(file)) {
    json axes = json::array();
    for (const auto& axis : entry.axes) axes.push_back(axis_json(axis));
    if (!entry.axes.empty()) angles |= emd::angles_deg(entry.axes[0]).has_value();
    out["arrays"].push_back({{"name", entry.name}, {"shape", entry.shape}, {"axes", axes}});
  }
  const auto provenance = read_provenance(source.file);
  if (provenance)
    out["provenance"] = {{"version", provenance->version}, {"commit", provenance->commit},
                         {"seed", provenance->seed},       {"fingerprint", provenance->fingerprint},
                         {"inputs", provenance->inputs},   {"config", provenance->config_text}};
  if (out["arrays"].empty()) {
    out["holds"] = "no arrays of the EMD layout";
    out["members"] = hdf5::member_names(file);
    return out;
  }
  const hdf5::Group own(hdf5::has_link(file, "aetos") ? H5Gopen2(file, "aetos", H5P_DEFAULT)
                                                      : H5I_INVALID_HID);
  const std::string content = own ? hdf5::read_text(own.get(), "content").value_or("") : "";
  try {
    if (content == "tilt series" || (content.empty() && angles))
      describe_series(out, hdf5_series_info(source));
    else
      describe_volume(out, hdf5_volume_info(source));
  } catch (const InputError& e) {
    out["note"] = e.what();  // arrays that are no series and no volume are listed all the same
  }
  return out;
}

json describe_mat(const Source& source) {
  json out{{"format", "MAT"}, {"arrays", json::array()}};
  const mat::File file = mat::open(source.file);
  out["format"] = file.hdf5 ? "MAT 7.3" : "MAT 5";
  for (const auto& v : file.variables) {
    const std::vector<std::size_t> shape(v.dims.rbegin(), v.dims.rend());
    out["arrays"].push_back({{"name", v.name}, {"shape", shape}, {"type", v.kind}});
  }
  out["pixel_A"] = nullptr;
  out["note"] = "shapes are in C order: MATLAB's (x, y, tilt) is (tilt, y, x)";
  return out;
}

json describe_mrc(const Source& source) {
  const mrc::Header h = mrc::read_header(source.file);
  json out{{"format", "MRC"}, {"mode", h.mode}, {"arrays", {{{"name", ""}, {"shape", h.shape}}}}};
  out["byte_order"] = h.swapped ? "swapped" : "native";
  out["pixel_A"] = number_or_null(h.pixel_A);
  out["holds"] = h.is_volume ? "volume" : "stack of images";
  out["angles"] = to_json(mrc::angles_beside(source.file, h.shape[0]));
  return out;
}

json describe_tiff(const Source& source) {
  const TiltSeriesInfo info = tiff_series_info(source);
  json out{{"format", "TIFF"}, {"arrays", {{{"name", ""}, {"shape", {info.tilts, info.ny, info.nx}}}}}};
  describe_series(out, info);
  return out;
}

json describe_columns(const Structure& s) {
  static const char* const kTypes[] = {"real", "integer", "logical", "text"};
  json out = json::array();
  for (const auto& [name, column] : s.columns)
    out.push_back({{"name", name}, {"type", kTypes[column.values.index()]}, {"width", column.width}});
  return out;
}

json describe_atoms(const std::string& path) {
  const auto frames = read_structure_frames(path);
  const Structure& s = frames.front();
  json out{{"format", "atoms (XYZ)"}, {"atoms", s.size()}, {"frames", frames.size()}, {"units", "Å"}};
  json species = json::object();
  for (std::uint8_t z : s.atomic_number) {
    const std::string& symbol = element_symbol(z);
    species[symbol] = species.value(symbol, 0) + 1;
  }
  out["species"] = species;
  out["columns"] = describe_columns(s);
  if (s.size() > 0) {
    Vec3 low = s.position[0], high = s.position[0];
    for (const Vec3& r : s.position) {
      low = low.cwiseMin(r);
      high = high.cwiseMax(r);
    }
    out["extent_A"] = {{"x", {low.x(), high.x()}}, {"y", {low.y(), high.y()}}, {"z", {low.z(), high.z()}}};
  }
  out["box"] = nullptr;
  if (s.cell) {
    json vectors = json::array();
    for (int i = 0; i < 3; ++i)
      vectors.push_back({s.cell->vectors(i, 0), s.cell->vectors(i, 1), s.cell->vectors(i, 2)});
    out["box"] = {{"vectors_A", vectors}, {"periodic", s.cell->periodic}};
  }
  out["comments"] = s.comments;
  return out;
}

void print(std::string& out, const json& value, const std::string& indent) {
  const bool list_of_plain = value.is_array() && std::none_of(value.begin(), value.end(), [](const json& v) {
                               return v.is_structured();
                             });
  if (list_of_plain || !value.is_structured()) {
    out += value.is_string() ? value.get<std::string>() : value.is_null() ? "unknown" : json_text(value);
    return;
  }
  for (const auto& item : value.items()) {
    const json& v = item.value();
    if (v.is_structured() && v.empty()) continue;
    out += fmt::format("\n{}{}", indent, value.is_array() ? "- " : item.key() + ": ");
    if (v.is_string() && v.get<std::string>().find('\n') != std::string::npos)
      out += fmt::format("({} lines)", std::ranges::count(v.get<std::string>(), '\n'));
    else
      print(out, v, indent + "  ");
  }
}

}  // namespace

std::optional<Provenance> read_provenance(const std::string& path) {
  return hdf5::read_input(path, [](hid_t file) -> std::optional<Provenance> {
    if (!hdf5::has_link(file, "aetos")) return {};
    const hdf5::Group own(H5Gopen2(file, "aetos", H5P_DEFAULT));
    if (!own) return {};
    Provenance p;
    p.version = hdf5::read_text(own.get(), "version").value_or("");
    p.commit = hdf5::read_text(own.get(), "commit").value_or("");
    p.fingerprint = hdf5::read_text(own.get(), "fingerprint").value_or("");
    p.config_text = hdf5::read_text(own.get(), "config").value_or("");
    p.inputs = hdf5::read_text(own.get(), "inputs").value_or("");
    p.seed = hdf5::read_unsigned(own.get(), "seed").value_or(0);
    return p;
  });
}

nlohmann::json describe_file(const std::string& path) {
  const std::string extension = lower_case(std::filesystem::path(path).extension().string());
  json out;
  if (std::set<std::string>{".xyz", ".extxyz"}.contains(extension)) {
    out = describe_atoms(path);
  } else if (std::set<std::string>{".rawtlt", ".tlt"}.contains(extension)) {
    out = {{"format", "tilt angles"}, {"angles", to_json(read_angles(path))}};
  } else {
    const Source source = parse_source(path);
    out = source.format == Format::hdf5
              ? hdf5::read_input(source.file, [&](hid_t file) { return describe_hdf5(source, file); })
          : source.format == Format::mat ? describe_mat(source)
          : source.format == Format::mrc ? describe_mrc(source)
                                         : describe_tiff(source);
  }
  out["file"] = path;
  return out;
}

std::string format_description(const nlohmann::json& description) {
  std::string out = description.value("file", "");
  json rest = description;
  rest.erase("file");
  print(out, rest, "  ");
  return out;
}

}  // namespace aetos::io
