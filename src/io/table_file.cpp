#include "aetos/io/table_file.hpp"

#include <algorithm>
#include <stdexcept>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/hdf5.hpp"

namespace aetos::io {
namespace {

std::string link_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', ':');
  return name;
}

void write_array(hid_t group, const std::string& name, hid_t type, std::size_t n, const void* values) {
  const std::string action = "cannot write the HDF5 dataset '" + name + "'";
  const hsize_t size = n;
  const hdf5::Space space(hdf5::check(H5Screate_simple(1, &size, nullptr), action));
  const hdf5::Dataset dataset(hdf5::check(
      H5Dcreate2(group, name.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), action));
  if (n > 0) hdf5::check(H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), action);
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> all;
  for (const auto& text : texts) all.push_back(text.c_str());
  return all;
}

void write_names(hid_t group, const std::vector<TableColumn>& columns) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(link_name(column.name));
  const hdf5::Type type = hdf5::text_type();
  const hsize_t size = names.size();
  const hdf5::Space space(hdf5::check(H5Screate_simple(1, &size, nullptr), "HDF5 shape"));
  const hdf5::Attribute attribute(hdf5::check(
      H5Acreate2(group, "columns", type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), "HDF5 attribute"));
  hdf5::check(H5Awrite(attribute.get(), type.get(), pointers(names).data()), "HDF5 attribute");
}

}  // namespace

void write_table(const std::filesystem::path& path, const std::string& name, std::size_t rows,
                 const std::vector<TableColumn>& columns) {
  for (const auto& column : columns)
    if ((column.texts.empty() ? column.numbers.size() : column.texts.size()) != rows)
      throw std::invalid_argument("column '" + column.name + "' has another length than its table");
  const auto partial = partial_name(path);
  hdf5::File file(hdf5::check(H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT),
                              "cannot create '" + partial.string() + "'"));
  {
    const hdf5::Group group = hdf5::create_group(file.get(), name);
    const hdf5::Type text = hdf5::text_type();
    for (const auto& column : columns) {
      if (column.texts.empty())
        write_array(group.get(), link_name(column.name), H5T_NATIVE_DOUBLE, rows, column.numbers.data());
      else
        write_array(group.get(), link_name(column.name), text.get(), rows, pointers(column.texts).data());
    }
    if (!columns.empty()) write_names(group.get(), columns);
  }
  hdf5::check(H5Fclose(file.release()), "cannot close '" + partial.string() + "'");
  publish(partial, path);
}

}  // namespace aetos::io
