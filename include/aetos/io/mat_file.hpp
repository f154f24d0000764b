#pragma once

#include <matio.h>

#include <memory>
#include <string>
#include <vector>

#include "aetos/io/source.hpp"

/// MATLAB's files, version 5 (any compression) and 7.3, through matio. MATLAB's arrays have their first index
/// fastest: (x, y, tilt) there is (tilt, y, x) here, with the same bytes.
namespace aetos::io::mat {

struct CloseMat {
  void operator()(mat_t* m) const { Mat_Close(m); }
};
struct FreeVariable {
  void operator()(matvar_t* v) const { Mat_VarFree(v); }
};
using File = std::unique_ptr<mat_t, CloseMat>;
using Variable = std::unique_ptr<matvar_t, FreeVariable>;

/// Opens a file; InputError if it is missing, truncated or not a MAT file of version 5 or 7.3.
File open(const std::string& path);
/// Every variable, without its data, in the order of the file.
std::vector<Variable> list(mat_t* file, const std::string& path);
/// Real numbers: integers, single, double, logical, not complex.
bool is_numeric(const matvar_t& variable);
bool is_integer(const matvar_t& variable);
/// "projections (128 x 128 x 60 double), info (1 x 1 struct)".
std::string describe(const std::vector<Variable>& variables);
/// Kind of a variable as MATLAB names it: "double", "uint16", "complex double", "cell".
std::string class_name(const matvar_t& variable);
/// All of a small numeric variable (at most 2^28 elements), first index fastest.
std::vector<double> read_small(mat_t* file, matvar_t& variable, const std::string& path);

}  // namespace aetos::io::mat
