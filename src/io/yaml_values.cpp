// Scalars of a YAML document as numbers and words, and the way back to text.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "aetos/core/error.hpp"
#include "aetos/io/yaml_document.hpp"

namespace aetos::io {
namespace {

constexpr double kLargestExactInteger = 9007199254740992.0;  // 2^53

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Length of the longest beginning of `s` that is a decimal number, 0 if none.
std::size_t decimal_length(const std::string& s) {
  std::size_t i = 0, digits = 0;
  if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
  while (i < s.size() && is_digit(s[i])) ++i, ++digits;
  if (i < s.size() && s[i] == '.') {
    ++i;
    while (i < s.size() && is_digit(s[i])) ++i, ++digits;
  }
  if (digits == 0) return 0;
  std::size_t e = i;
  if (e < s.size() && (s[e] == 'e' || s[e] == 'E')) {
    ++e;
    if (e < s.size() && (s[e] == '+' || s[e] == '-')) ++e;
    const std::size_t first = e;
    while (e < s.size() && is_digit(s[e])) ++e;
    if (e > first) i = e;
  }
  return i;
}

const char* number_hint(const YamlNode& node) {
  const auto& s = node.scalar;
  if (node.quoted) return "a number without quotes";
  if (s.starts_with("0x") || s.starts_with("0X") || s.starts_with("0o")) return "a decimal number";
  const auto length = decimal_length(s);
  if (length == 0 || length == s.size()) return "a number";
  if (s[length] == '_' || s[length] == ',') return "a number with a decimal point and no separators";
  return "a number, without a unit (the key's name says the unit)";
}

[[noreturn]] void refuse(const YamlNode& node, const std::string& expected) {
  throw InputError(node.place, describe_found(node), expected);
}

}  // namespace

std::string describe_found(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::sequence:
      return node.items.empty() ? "an empty list" : "a list";
    case YamlNode::Kind::map:
      return "a map";
    case YamlNode::Kind::scalar:
      break;
  }
  const std::string text = node.scalar.size() > 60 ? node.scalar.substr(0, 60) + "..." : node.scalar;
  return node.quoted ? "\"" + text + "\"" : "'" + text + "'";
}

double as_number(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar) refuse(node, "a number");
  if (node.quoted || decimal_length(node.scalar) != node.scalar.size() || node.scalar.empty())
    refuse(node, number_hint(node));
  const double value = std::strtod(node.scalar.c_str(), nullptr);
  if (!std::isfinite(value)) refuse(node, "a number that is not too large");
  return value;
}

std::int64_t as_integer(const YamlNode& node) {
  const double value = as_number(node);
  if (value != std::floor(value) || std::abs(value) > kLargestExactInteger) refuse(node, "a whole number");
  return static_cast<std::int64_t>(value);
}

std::uint64_t as_unsigned(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::scalar && !node.quoted && !node.scalar.empty() &&
      std::all_of(node.scalar.begin(), node.scalar.end(), is_digit)) {
    std::uint64_t value = 0;
    const char* end = node.scalar.data() + node.scalar.size();
    if (std::from_chars(node.scalar.data(), end, value).ec == std::errc{}) return value;
    refuse(node, "a whole number below 2^64");
  }
  const auto value = as_integer(node);
  if (value < 0) refuse(node, "a whole number that is not negative");
  return static_cast<std::uint64_t>(value);
}

bool as_boolean(const YamlNode& node) {
  if (node.is_word("true")) return true;
  if (node.is_word("false")) return false;
  std::string lower = node.scalar;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto is_one_of = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(), [&](const char* w) { return lower == w; });
  };
  std::string expected = "true or false";
  if (node.kind == YamlNode::Kind::scalar && is_one_of({"yes", "on", "y", "1", "true"}))
    expected += "; write true";
  else if (node.kind == YamlNode::Kind::scalar && is_one_of({"no", "off", "n", "0", "false"}))
    expected += "; write false";
  refuse(node, expected);
}

std::string as_text(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar) refuse(node, "text");
  return node.scalar;
}

YamlNode yaml_plain(std::string word) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.scalar = std::move(word);
  return node;
}

YamlNode yaml_number(double value) {
  std::string text = fmt::format("{}", value);
  // 1.0e-07: readers of YAML 1.1, PyYAML among them, take 1e-07 for text.
  const auto exponent = text.find('e');
  if (exponent != std::string::npos && text.find('.') == std::string::npos) text.insert(exponent, ".0");
  return yaml_plain(text);
}

YamlNode yaml_text(std::string text) {
  auto node = yaml_plain(std::move(text));
  node.quoted = true;
  return node;
}

YamlNode yaml_list(std::vector<YamlNode> items) {
  YamlNode node;
  node.kind = YamlNode::Kind::sequence;
  node.items = std::move(items);
  return node;
}

YamlNode yaml_map(std::vector<YamlMember> members) {
  YamlNode node;
  node.kind = YamlNode::Kind::map;
  node.members = std::move(members);
  return node;
}

std::string yaml_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

namespace {

/// Keys that other YAML readers take for logical values or null (element symbols such as Y, N, No) stand in
/// quotes.
std::string written_key(const std::string& key) {
  std::string lower = key;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool plain =
      std::all_of(key.begin(), key.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  for (const char* word : {"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
    if (lower == word) return yaml_quoted(key);
  return plain && !key.empty() && !is_digit(key.front()) ? key : yaml_quoted(key);
}

}  // namespace

std::string yaml_flow(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "null";
    case YamlNode::Kind::scalar:
      return node.quoted ? yaml_quoted(node.scalar) : node.scalar;
    case YamlNode::Kind::sequence:
      for (const auto& item : node.items) out += (out.empty() ? "" : ", ") + yaml_flow(item);
      return "[" + out + "]";
    case YamlNode::Kind::map:
      for (const auto& [key, value] : node.members)
        out += (out.empty() ? "" : ", ") + written_key(key) + ": " + yaml_flow(value);
      return "{" + out + "}";
  }
  return out;
}

namespace {

void write_block(std::string& out, const YamlNode& map, int depth, int indent) {
  const std::string pad(static_cast<std::size_t>(indent), ' ');
  for (const auto& [key, value] : map.members) {
    const bool block = depth > 1 && !value.items.empty() && value.items.front().kind == YamlNode::Kind::map;
    if (depth > 1 && value.kind == YamlNode::Kind::map && !value.members.empty()) {
      out += pad + written_key(key) + ":\n";
      write_block(out, value, depth - 1, indent + 2);
    } else if (block) {
      out += pad + written_key(key) + ":\n";
      for (const auto& item : value.items) out += pad + "  - " + yaml_flow(item) + "\n";
    } else {
      out += pad + written_key(key) + ": " + yaml_flow(value) + "\n";
    }
  }
}

}  // namespace

std::string yaml_block(const YamlNode& map, int block_depth) {
  std::string out;
  write_block(out, map, block_depth, 0);
  return out;
}

}  // namespace aetos::io
