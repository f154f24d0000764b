// Keys and values that are refused by name, never ignored: solvers of
// PETSc that are for other problems, and names that other programs use.
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
  const char* why;
};

constexpr const char* kSolvers = "a solver that docs/solvers.md names, such as resire, os-resire or bqnls";

const std::vector<LaterValue>& later_values() {
  static const std::vector<LaterValue> values{
      {"reconstruct.method",
       {"lcl"},
       kSolvers,
       "solves problems whose constraints are differential equations"},
      {"reconstruct.method",
       {"almm", "ipm", "pdipm", "bqpip"},
       kSolvers,
       "wants general constraints, or its matrices written out; here are bounds, and products alone"},
      {"reconstruct.method",
       {"nm", "pounders"},
       kSolvers,
       "works without gradients, for a handful of unknowns"},
      {"reconstruct.method",
       {"brgn"},
       "bnls, which it becomes where the model is linear, or bqnls with tv_weight",
       "is for models that are not linear"},
      {"reconstruct.method",
       {"owlqn", "bmrm"},
       "bqnls, with tv_weight for a regularised volume",
       "minimises sums of absolute values or of a classifier's risk"},
      {"reconstruct.method",
       {"ssils", "ssfls", "asils", "asfls"},
       kSolvers,
       "solves complementarity problems, which have no objective"},
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
    return InputError(place, fmt::format("'{}', which {}", node.scalar, later.why), later.instead);
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
    if (key == later.key)
      if (auto error = later_value(later, node, place)) return error;
  return std::nullopt;
}

std::vector<std::string> later_list() {
  std::vector<std::string> lines;
  for (const auto& later : later_values()) {
    std::string values;
    for (const auto& value : later.values) values += (values.empty() ? "" : ", ") + value;
    lines.push_back(fmt::format("`{}: {}` {}; use {}", later.key, values, later.why, later.instead));
  }
  return lines;
}

}  // namespace aetos::config
