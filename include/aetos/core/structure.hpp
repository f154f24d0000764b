#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "aetos/core/geometry.hpp"

/// An atomic model: species, positions and any further columns, one entry per atom.
namespace aetos {

/// One named per-atom column: real, integer, logical or text, with `width` values per atom (C order).
struct Column {
  std::variant<std::vector<double>, std::vector<std::int64_t>, std::vector<std::uint8_t>,
               std::vector<std::string>>
      values;
  std::size_t width = 1;
};

/// Box of a structure file: rows are the three vectors in Å, with the directions that repeat.
struct Cell {
  Mat3 vectors = Mat3::Zero();  ///< row i is lattice vector i
  std::array<bool, 3> periodic{false, false, false};
};

struct Structure {
  std::vector<std::uint8_t> atomic_number;  ///< 1 (H) to 103 (Lr); 0 for a site without an element (X)
  std::vector<Vec3> position;               ///< Å, about the rotation centre
  std::map<std::string, Column>
      columns;  ///< beyond species and position, by lower-case name, e.g. "occupancy"
  std::optional<Cell> cell;
  std::map<std::string, std::string> comments;  ///< other key=value pairs of the file

  std::size_t size() const { return position.size(); }
};

/// Atomic number of a symbol ("Zr" -> 40; case matters); 0 if there is no such element.
std::uint8_t atomic_number(const std::string& symbol);
/// Symbol of an atomic number 1..103; "X" for 0; InputError above.
const std::string& element_symbol(std::uint8_t atomic_number);

}  // namespace aetos
