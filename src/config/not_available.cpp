// Keys and values of the contract that this version does not have yet. They are refused by name, never
// ignored. Whoever adds one removes its row here.
#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "codec.hpp"

namespace aetos::config {
namespace {

struct LaterValue {
  const char* key;
  std::vector<std::string> values;
  const char* instead;
};

const std::vector<LaterValue>& later_values() {
  static const std::vector<LaterValue> values{
      {"reconstruct.method",
       {"bqnkls", "bqnktr", "bqnktl", "bnls", "bntr", "bntl", "tron", "gpcg", "lmvm", "cg", "lcl"},
       "resire, resire-nesterov, os-resire, os-resire-nesterov, bncg, bqnls, blmvm, sirt, wbp"},
  };
  return values;
}

/// "detectors.0.kind" -> "detectors.kind"
std::string without_indices(const std::string& dotted) {
  static const std::regex index("\\.[0-9]+(?=\\.|$)");
  return std::regex_replace(dotted, index, "");
}

std::optional<InputError> later_key(const std::string& key, const std::string& place) {
  if (key == "microscope.C10_A")
    return InputError(place, "the key 'microscope.C10_A'",
                      "'defocus_A', which is -C10 (positive is underfocus)");
  return std::nullopt;
}

std::optional<InputError> later_value(const LaterValue& later, const YamlNode& node,
                                      const std::string& place) {
  const auto named = std::find(later.values.begin(), later.values.end(), node.scalar);
  if (node.kind == YamlNode::Kind::scalar && named != later.values.end())
    return InputError(place, fmt::format("'{}' is not available in this version", node.scalar),
                      later.instead);
  for (const auto& item : node.items)
    if (auto error = later_value(later, item, place)) return error;
  return std::nullopt;
}

}  // namespace

std::optional<InputError> not_available(const std::string& dotted, const YamlNode& node) {
  const std::string key = without_indices(dotted);
  if (auto error = later_key(key, node.place)) return error;
  const std::string place = place_with_key(node.place, dotted);
  for (const auto& later : later_values())
    if (key == later.key) return later_value(later, node, place);
  return std::nullopt;
}

std::vector<std::string> later_list() {
  std::vector<std::string> lines;
  for (const auto& later : later_values()) {
    std::string values;
    for (const auto& value : later.values) values += (values.empty() ? "" : ", ") + value;
    lines.push_back(fmt::format("`{}: {}`; use {}", later.key, values, later.instead));
  }
  return lines;
}

}  // namespace aetos::config
