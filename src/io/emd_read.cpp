#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "aetos/core/units.hpp"
#include "aetos/io/emd.hpp"
#include "aetos/io/text_fields.hpp"

namespace aetos::io::emd {
namespace {

/// Units without their brackets, in lower case; "[n_m]" (tomviz) is "nm".
std::string plain_units(const std::string& units) {
  std::string plain;
  for (char c : units)
    if (c != '[' && c != ']' && c != '_' && c != ' ') plain += c;
  return lower_case(plain);
}

hdf5::Dataset open_dataset(hid_t group, const std::string& name) {
  return hdf5::Dataset(H5Dopen2(group, name.c_str(), H5P_DEFAULT));
}

Axis read_axis(hid_t group, const std::string& name) {
  Axis axis;
  if (!hdf5::has_link(group, name)) return axis;
  const hdf5::Dataset dim = open_dataset(group, name);
  if (!dim) return axis;
  axis.name = hdf5::read_text(dim.get(), "name").value_or("");
  axis.units = hdf5::read_text(dim.get(), "units").value_or("");
  const auto shape = hdf5::shape_of(dim.get());
  if (shape.size() == 1 && shape[0] <= (1u << 20) && hdf5::is_integer(dim.get()))
    axis.values = hdf5::read_small(group, name);
  return axis;
}

void visit(hid_t group, const std::string& path, int depth, std::set<hdf5::ObjectPlace>& seen,
           std::vector<ArrayEntry>& found) {
  if (hdf5::read_number(group, "emd_group_type") == 1.0 && hdf5::has_link(group, "data")) {
    const hdf5::Dataset data = open_dataset(group, "data");
    if (data) {
      ArrayEntry entry{{}, path, hdf5::shape_of(data.get()), {}, hdf5::is_integer(data.get())};
      for (std::size_t a = 0; a < entry.shape.size(); ++a)
        entry.axes.push_back(read_axis(group, fmt::format("dim{}", a + 1)));
      found.push_back(std::move(entry));
      return;
    }
  }
  // Links may lead in circles, and n of them in each group of a circle to n^depth paths.
  if (depth > 8 || !seen.insert(hdf5::place_of(group)).second) return;
  for (const std::string& name : hdf5::member_names(group)) {
    const hdf5::Group child(H5Gopen2(group, name.c_str(), H5P_DEFAULT));
    if (child) visit(child.get(), path + "/" + name, depth + 1, seen, found);
  }
  H5Eclear2(H5E_DEFAULT);
}

}  // namespace

std::vector<ArrayEntry> find_arrays(hid_t file) {
  std::vector<ArrayEntry> found;
  const hdf5::Group root(hdf5::check(H5Gopen2(file, "/", H5P_DEFAULT), "cannot open an HDF5 file's root"));
  std::set<hdf5::ObjectPlace> seen;
  visit(root.get(), "", 0, seen, found);
  std::map<std::string, int> uses;
  const auto last_part = [](const std::string& path) { return path.substr(path.find_last_of('/') + 1); };
  for (const auto& entry : found) ++uses[last_part(entry.path)];
  for (auto& entry : found)
    entry.name = uses[last_part(entry.path)] == 1 ? last_part(entry.path) : entry.path;
  return found;
}

Metadata read_metadata(hid_t file, const std::string& path) {
  Metadata metadata;
  if (!hdf5::has_link(file, path)) return metadata;
  const hdf5::Group group(H5Gopen2(file, path.c_str(), H5P_DEFAULT));
  if (!group) return metadata;
  for (const std::string& name : hdf5::attribute_names(group.get())) {
    if (const auto number = hdf5::read_number(group.get(), name))
      metadata.numbers[name] = *number;
    else if (auto text = hdf5::read_text(group.get(), name))
      metadata.texts[name] = std::move(*text);
  }
  return metadata;
}

std::optional<double> pixel_A(const Axis& axis) {
  static const std::map<std::string, double> kLength_A{
      {"å", 1},   {"\xc3\x85", 1}, {"a", 1},    {"ang", 1},  {"angstrom", 1}, {"angstroms", 1},
      {"nm", 10}, {"pm", 0.01},    {"um", 1e4}, {"µm", 1e4}, {"m", 1e10},     {"\xe2\x84\xab", 1}};
  const auto unit = kLength_A.find(plain_units(axis.units));
  if (unit == kLength_A.end() || axis.values.size() < 2) return {};
  const double step =
      (axis.values.back() - axis.values.front()) / static_cast<double>(axis.values.size() - 1);
  const double pixel = std::abs(step) * unit->second;
  if (!std::isfinite(pixel) || pixel <= 0) return {};
  return pixel;
}

std::optional<std::vector<double>> angles_deg(const Axis& axis) {
  static const std::set<std::string> kDegrees{"deg", "degree", "degrees", "°"};
  const std::string units = plain_units(axis.units);
  const bool radians = units == "rad" || units == "radian" || units == "radians";
  if (!radians && !kDegrees.contains(units)) return {};
  std::vector<double> values = axis.values;
  if (radians)
    for (double& v : values) v *= 180 / kPi;
  return values;
}

}  // namespace aetos::io::emd
