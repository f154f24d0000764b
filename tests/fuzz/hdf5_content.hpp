#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace aetos::fuzz {

/// Writes into `folder` a sound HDF5 file, as .h5 or MATLAB's .mat, and gives its name: its groups, arrays,
/// attributes and links are what `program` says, one byte per choice. Bytes changed in a file reach little
/// but HDF5 itself; this reaches what we make of unexpected content.
std::string write_hdf5_content(const std::filesystem::path& folder, std::span<const std::uint8_t> program);

}  // namespace aetos::fuzz
