#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace aetos::fuzz {

/// Writes a sound HDF5 file whose groups, arrays, attributes and links are what `program` says, one byte per
/// choice. Bytes changed in a file reach little but HDF5 itself; this reaches what we make of unexpected
/// content.
void write_hdf5_content(const std::string& path, std::span<const std::uint8_t> program);

}  // namespace aetos::fuzz
