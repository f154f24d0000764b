#include "codec.hpp"

#include <fmt/format.h>

#include <cmath>

#include "aetos/core/structure.hpp"

namespace aetos::config {
namespace {

/// "results.mat:projections" -> file and ":projections"; a file of that whole name wins.
std::pair<std::filesystem::path, std::string> split_array(const std::string& text) {
  const auto colon = text.rfind(':');
  const auto slash = text.find_last_of('/');
  const bool after_name =
      colon != std::string::npos && colon > 0 && (slash == std::string::npos || colon > slash);
  std::error_code error;
  if (!after_name || std::filesystem::exists(text, error)) return {text, ""};
  return {text.substr(0, colon), text.substr(colon)};
}

/// 1e6 and not 1000000 or 1e+06.
std::string short_number(double value) {
  std::string text = fmt::format("{:g}", value);
  for (const char* padding : {"e+0", "e+", "e-0"})
    if (const auto at = text.find(padding); at != std::string::npos)
      return text.replace(at, std::string(padding).size(), padding[1] == '-' ? "e-" : "e");
  return text;
}

bool from_command_line(const YamlNode& node) {
  return node.place.starts_with("--");
}

}  // namespace

std::string place_with_key(const std::string& place, const std::string& dotted) {
  return place == "--set " + dotted ? place : place + ", " + dotted;
}

std::string Reader::dotted() const {
  std::string out;
  for (const auto& name : path_) out += (out.empty() ? "" : ".") + name;
  return out;
}

std::string Reader::place_of(const std::string& dotted_key) const {
  for (std::string key = dotted_key; !key.empty();) {
    const auto found = places.find(key);
    if (found != places.end()) return place_with_key(found->second, dotted_key);
    const auto dot = key.rfind('.');
    key.resize(dot == std::string::npos ? 0 : dot);
  }
  return place_with_key(file, dotted_key);
}

void Reader::value(const std::string& key, const YamlNode& node, const std::function<void()>& read) {
  enter(key);
  const std::string here = dotted();
  places[here] = node.place;
  try {
    if (node.kind == YamlNode::Kind::null)
      throw InputError(node.place, "nothing", "a value (leave the key out for its default)");
    read();
  } catch (const InputError& e) {
    errors.emplace_back(place_with_key(e.place(), here), e.found(), e.expected());
  }
  leave();
}

json to_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::sequence: {
      json out = json::array();
      for (const auto& item : node.items) out.push_back(to_json(item));
      return out;
    }
    case YamlNode::Kind::map: {
      json out = json::object();
      for (const auto& [key, value] : node.members) out[key] = to_json(value);
      return out;
    }
    case YamlNode::Kind::scalar:
      break;
  }
  if (node.quoted) return node.scalar;
  if (node.scalar == "true" || node.scalar == "false") return node.scalar == "true";
  const auto number = json::parse(node.scalar, nullptr, false);
  return number.is_number() ? number : json(node.scalar);
}

json object_schema(const std::vector<Entry>& entries) {
  json schema{{"type", "object"}, {"additionalProperties", false}, {"properties", json::object()}};
  json needed = json::array();
  for (const auto& entry : entries) {
    json value = entry.about.schema;
    value["description"] = entry.meaning;
    if (entry.standard && entry.about.entries.empty() && !entry.required)
      value["default"] = to_json(*entry.standard);
    schema["properties"][entry.name] = std::move(value);
    if (entry.required) needed.push_back(entry.name);
  }
  if (!needed.empty()) schema["required"] = std::move(needed);
  return schema;
}

Codec<double> number(Limits limits) {
  Codec<double> codec;
  auto& words = codec.about.words;
  words = fmt::format("number {}{} to {}", limits.above_min ? "above " : "", short_number(limits.min),
                      short_number(limits.max));
  if (!limits.usual.empty()) words += " (usually " + limits.usual + ")";
  codec.about.schema = json{{"type", "number"},
                            {limits.above_min ? "exclusiveMinimum" : "minimum", limits.min},
                            {"maximum", limits.max}};
  codec.read = [limits, words](Reader&, const YamlNode& node, double& out) {
    const double value = io::as_number(node);
    const bool low = limits.above_min ? value <= limits.min : value < limits.min;
    if (low || value > limits.max) throw InputError(node.place, io::describe_found(node), "a " + words);
    out = value + 0.0;  // never -0
  };
  codec.write = [](const double& value) { return io::yaml_number(value); };
  return codec;
}

namespace {

template <class T>
Codec<T> whole_number(T min, T max) {
  Codec<T> codec;
  codec.about.words = fmt::format("whole number {} to {}", min, max);
  codec.about.schema = json{{"type", "integer"}, {"minimum", min}, {"maximum", max}};
  codec.read = [=, words = codec.about.words](Reader&, const YamlNode& node, T& out) {
    const auto value = io::as_integer(node);
    if (value < static_cast<std::int64_t>(min) || value > static_cast<std::int64_t>(max))
      throw InputError(node.place, io::describe_found(node), "a " + words);
    out = static_cast<T>(value);
  };
  codec.write = [](const T& value) { return io::yaml_plain(std::to_string(value)); };
  return codec;
}

}  // namespace

Codec<int> whole(int min, int max) {
  return whole_number(min, max);
}
Codec<std::size_t> count(std::size_t min, std::size_t max) {
  return whole_number(min, max);
}

Codec<std::uint64_t> seed_number() {
  Codec<std::uint64_t> codec;
  codec.about.words = "whole number 0 to 2^64 - 1";
  codec.about.schema = json{{"type", "integer"}, {"minimum", 0}};
  codec.read = [](Reader&, const YamlNode& node, std::uint64_t& out) { out = io::as_unsigned(node); };
  codec.write = [](const std::uint64_t& value) { return io::yaml_plain(std::to_string(value)); };
  return codec;
}

Codec<bool> boolean() {
  Codec<bool> codec;
  codec.about.words = "true, false";
  codec.about.schema = json{{"type", "boolean"}};
  codec.read = [](Reader&, const YamlNode& node, bool& out) { out = io::as_boolean(node); };
  codec.write = [](const bool& value) { return io::yaml_plain(value ? "true" : "false"); };
  return codec;
}

Codec<std::string> text(const std::string& words) {
  Codec<std::string> codec;
  codec.about.words = words;
  codec.about.schema = json{{"type", "string"}, {"minLength", 1}};
  codec.read = [words](Reader&, const YamlNode& node, std::string& out) {
    out = io::as_text(node);
    if (out.empty()) throw InputError(node.place, "an empty text", words);
  };
  codec.write = [](const std::string& value) { return io::yaml_text(value); };
  return codec;
}

Codec<std::string> path(const std::string& what, std::vector<std::string> words, std::string empty_word) {
  Codec<std::string> codec;
  if (!empty_word.empty()) words.insert(words.begin(), empty_word);
  for (const auto& w : words) codec.about.words += w + ", or ";
  codec.about.words += what;
  codec.about.schema = json{{"type", "string"}, {"minLength", 1}};
  codec.read = [=](Reader& r, const YamlNode& node, std::string& out) {
    const std::string value = io::as_text(node);
    if (value.empty()) throw InputError(node.place, "an empty text", what);
    const auto known = std::find(words.begin(), words.end(), value);
    if (known != words.end() && !node.quoted) return void(out = value == empty_word ? "" : value);
    namespace fs = std::filesystem;
    const fs::path base = from_command_line(node) ? fs::current_path() : r.folder;
    const auto [file, array] = split_array((base / value).string());
    out = file.lexically_normal().string() + array;
  };
  codec.write = [=](const std::string& value) {
    if (value.empty() && !empty_word.empty()) return io::yaml_plain(empty_word);
    return std::find(words.begin(), words.end(), value) != words.end() ? io::yaml_plain(value)
                                                                       : io::yaml_text(value);
  };
  return codec;
}

Codec<std::string> element() {
  Codec<std::string> codec;
  codec.about.words = "element symbols";
  codec.about.schema = json{{"type", "string"}, {"pattern", "^[A-Z][a-z]?$"}};
  codec.read = [](Reader&, const YamlNode& node, std::string& out) {
    out = io::as_text(node);
    if (atomic_number(out) == 0)
      throw InputError(node.place, io::describe_found(node), "an element symbol, H to Lr, as in Zr");
  };
  codec.write = [](const std::string& value) { return io::yaml_text(value); };
  return codec;
}

}  // namespace aetos::config
