#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "aetos/io/source.hpp"

/// MATLAB's files, version 5 (any compression, either byte order) and 7.3 (an HDF5 file). MATLAB's arrays
/// have their first index fastest: (x, y, tilt) there is (tilt, y, x) here, with the same bytes. Read with
/// code of our own: every size that a file states is held against the file before memory is taken for it,
/// which matio 1.5.23 does not do. Format: "MAT-File Format", The MathWorks, R2023b.
namespace aetos::io::mat {

/// A variable without its data.
struct Variable {
  std::string name;
  std::string kind;               ///< as MATLAB names it: "double", "uint16", "complex double", "cell"
  std::vector<std::size_t> dims;  ///< first index fastest
  bool numeric = false;           ///< real numbers: integers, single, double, logical, not complex
  bool integer = false;           ///< integers and logical
  std::uint64_t at = 0;           ///< version 5: where its element starts

  std::size_t size() const;  ///< number of elements
};

struct File {
  std::string path;
  bool hdf5 = false;  ///< version 7.3
  std::vector<Variable> variables;
};

/// What a file holds; InputError if it is missing, truncated, damaged, not a MAT file of version 5 or 7.3, or
/// without variables.
File open(const std::string& path);
/// "projections (128 x 128 x 60 double), info (1 x 1 struct)".
std::string describe(const std::vector<Variable>& variables);

/// A box of a numeric variable, first index fastest; start and count have as many axes as the variable.
void read_box(const File& file, const Variable& variable, const std::vector<std::size_t>& start,
              const std::vector<std::size_t>& count, double* out);
void read_box(const File& file, const Variable& variable, const std::vector<std::size_t>& start,
              const std::vector<std::size_t>& count, float* out);
/// All of a small numeric variable (at most 2^28 elements), first index fastest.
std::vector<double> read_all(const File& file, const Variable& variable);

}  // namespace aetos::io::mat
