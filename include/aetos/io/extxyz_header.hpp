#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aetos/core/structure.hpp"

/// The second line of an extended XYZ file: key=value pairs, one of which (Properties) names the columns.
namespace aetos::io {

/// One entry of Properties: name:type:width.
struct PropertyColumn {
  std::string name;  ///< lower case
  char type = 'R';   ///< R real, I integer, L logical, S text
  std::size_t width = 1;
};

struct ExtxyzHeader {
  std::vector<PropertyColumn> columns;  ///< in the order of the file
  std::optional<Cell> cell;
  std::map<std::string, std::string> comments;  ///< every other pair, as written
};

/// Whether the line has a Properties or Lattice key: extended rather than plain XYZ.
bool is_extxyz_header(std::string_view line);
/// Parses the line; `place` is its "file:line". Without Properties the columns are species and pos.
ExtxyzHeader parse_extxyz_header(std::string_view line, const std::string& place);
/// The line as we write it.
std::string format_extxyz_header(const ExtxyzHeader& header);

}  // namespace aetos::io
