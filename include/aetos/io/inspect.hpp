#pragma once

#include <nlohmann/json.hpp>
#include <string>

/// What a file holds, for `aetos info`.
namespace aetos::io {

/// Reads the headers of a file of any format that AETOS knows. Always has "file" and "format"; images and
/// volumes have "arrays" (name, shape, axes with units), "pixel_A" (null if unknown), "angles"; our own files
/// "provenance"; atom files "atoms", "species", "columns", "box". Throws InputError for anything else.
nlohmann::json describe_file(const std::string& path);

/// The same as indented lines of text.
std::string format_description(const nlohmann::json& description);

}  // namespace aetos::io
