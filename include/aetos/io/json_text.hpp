#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace aetos::io {

/// A JSON value as text that ends no run: bytes that are not UTF-8, as in a comment or a folder's name of an
/// older system, become U+FFFD. `indent` < 0 writes one line.
inline std::string json_text(const nlohmann::json& value, int indent = -1) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace aetos::io
