#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "aetos/parallel/run_context.hpp"

namespace aetos::io {

/// A JSON value as text that ends no run: bytes that are not UTF-8, as in a comment or a folder's name of an
/// older system, become U+FFFD. `indent` < 0 writes one line.
inline std::string json_text(const nlohmann::json& value, int indent = -1) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The text of a JSON file that a stage writes: an object, and as its `made_by` version, commit, seed,
/// fingerprint, the SHA-256 of the inputs, and the name of the config, which lies beside it.
std::string json_file_of(const RunContext& context, nlohmann::json object);

}  // namespace aetos::io
