#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// Tables in HDF5, for readers that want numbers as numbers (h5py, pandas, MATLAB).
namespace aetos::io {

/// A column of numbers, or, where `texts` is not empty, of words. NaN and "" stand for what a row lacks.
struct TableColumn {
  std::string name;
  std::vector<double> numbers{};
  std::vector<std::string> texts{};
};

/// Writes a file with a one-dimensional dataset per column (float64, or UTF-8 text), all of `rows` elements,
/// in the group `name`, whose attribute "columns" lists them in order; a '/' in a column's name becomes ':'.
/// Called by one rank alone. The file has its final name only once it is complete. Throws ResourceError where
/// it cannot be written, std::invalid_argument for columns of other lengths.
void write_table(const std::filesystem::path& path, const std::string& name, std::size_t rows,
                 const std::vector<TableColumn>& columns);

}  // namespace aetos::io
