#include "aetos/io/extxyz_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/io/text_fields.hpp"

namespace aetos::io {
namespace {

constexpr std::string_view kBlanks = " \t\r";

/// Takes a value off the front of `rest`: "quoted", {braced}, [bracketed] or bare.
std::string take_value(std::string_view& rest, const std::string& place) {
  if (rest.empty()) return {};
  const char open = rest.front();
  if (open != '"' && open != '{' && open != '[' && open != '\'') {
    const std::size_t end = std::min(rest.find_first_of(kBlanks), rest.size());
    const std::string value(rest.substr(0, end));
    rest.remove_prefix(end);
    return value;
  }
  const char close = open == '{' ? '}' : open == '[' ? ']' : open;
  std::string value;
  int depth = 1;
  std::size_t i = 1;
  for (; i < rest.size(); ++i) {
    if (rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == close || rest[i + 1] == '\\')) {
      value += rest[++i];
      continue;
    }
    if (open == '[' && rest[i] == open) ++depth;
    if (rest[i] == close && --depth == 0) break;
    value += rest[i];
  }
  if (i == rest.size())
    throw InputError(place, fmt::format("a value starts with {} and has no end", open),
                     fmt::format("a closing {}", close));
  rest.remove_prefix(i + 1);
  return open == '[' ? fmt::format("[{}]", value) : value;
}

std::vector<std::pair<std::string, std::string>> parse_pairs(std::string_view line,
                                                             const std::string& place) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (;;) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return pairs;
    line.remove_prefix(begin);
    std::string key;
    if (line.front() == '"' || line.front() == '\'') {
      key = take_value(line, place);
    } else {
      const std::size_t end = std::min(line.find_first_of(" \t\r="), line.size());
      key = line.substr(0, end);
      line.remove_prefix(end);
    }
    // "key = value" is read as "key=value"; a key alone is a flag, as in ASE.
    const std::size_t next = line.find_first_not_of(kBlanks);
    if (next == std::string_view::npos || line[next] != '=') {
      pairs.emplace_back(key, "T");
      continue;
    }
    line.remove_prefix(next + 1);
    const std::size_t value = line.find_first_not_of(kBlanks);
    line.remove_prefix(std::min(value, line.size()));
    pairs.emplace_back(key, take_value(line, place));
  }
}

std::vector<PropertyColumn> parse_properties(const std::string& text, const std::string& place) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == ':')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  if (parts.size() % 3 != 0)
    throw InputError(place, fmt::format("Properties={}", text),
                     "triples name:type:width, as in species:S:1:pos:R:3");
  std::vector<PropertyColumn> columns;
  std::set<std::string> names;
  for (std::size_t i = 0; i < parts.size(); i += 3) {
    PropertyColumn c;
    c.name = lower_case(parts[i]);
    const auto width = to_integer(parts[i + 2]);
    const std::string& type = parts[i + 1];
    if (c.name.empty() || type.size() != 1 || std::string("RILS").find(type) == std::string::npos)
      throw InputError(place, fmt::format("column '{}' of type '{}'", parts[i], type),
                       "a name and a type R, I, L or S");
    if (!width || *width < 1 || *width > 1000)
      throw InputError(place, fmt::format("column '{}' of width '{}'", parts[i], parts[i + 2]),
                       "a width of 1 to 1000");
    if (!names.insert(c.name).second)
      throw InputError(place, fmt::format("two columns named '{}'", c.name), "every name once");
    c.type = type[0];
    c.width = static_cast<std::size_t>(*width);
    columns.push_back(c);
  }
  return columns;
}

Mat3 parse_lattice(const std::string& text, const std::string& place) {
  const auto fields = split_fields(text);
  Mat3 vectors;
  for (std::size_t i = 0; i < fields.size() && i < 9; ++i) {
    const auto value = to_real(fields[i]);
    if (!value || !std::isfinite(*value))
      throw InputError(place, fmt::format("'{}' in Lattice", fields[i]), "nine finite numbers in Å");
    vectors(static_cast<int>(i / 3), static_cast<int>(i % 3)) = *value;
  }
  if (fields.size() != 9)
    throw InputError(place, fmt::format("Lattice with {} numbers", fields.size()),
                     "nine numbers: the three vectors in Å");
  return vectors;
}

std::array<bool, 3> parse_pbc(const std::string& text, const std::string& place) {
  auto fields = split_fields(text);
  if (fields.size() == 1) fields.resize(3, fields[0]);
  std::array<bool, 3> periodic{};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto value = fields.size() == 3 ? to_logical(fields[i]) : std::nullopt;
    if (!value) throw InputError(place, fmt::format("pbc=\"{}\"", text), "three of T and F");
    periodic[i] = *value;
  }
  return periodic;
}

std::string quoted(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c >= 0x80 ||
           std::string_view("._-+:/").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return text;
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace

bool is_extxyz_header(std::string_view line) {
  const std::string lower = lower_case(line);
  return lower.find("properties=") != std::string::npos || lower.find("lattice=") != std::string::npos;
}

ExtxyzHeader parse_extxyz_header(std::string_view line, const std::string& place) {
  ExtxyzHeader header;
  std::array<bool, 3> periodic{false, false, false};
  for (const auto& [key, value] : parse_pairs(line, place)) {
    const std::string lower = lower_case(key);
    if (lower == "properties")
      header.columns = parse_properties(value, place);
    else if (lower == "lattice")
      header.cell = Cell{parse_lattice(value, place), {}};
    else if (lower == "pbc")
      periodic = parse_pbc(value, place);
    else
      header.comments[key] = value;
  }
  if (header.cell) header.cell->periodic = periodic;
  if (header.columns.empty()) header.columns = {{"species", 'S', 1}, {"pos", 'R', 3}};
  return header;
}

std::string format_extxyz_header(const ExtxyzHeader& header) {
  std::string line;
  std::array<bool, 3> periodic{};
  if (header.cell) {
    std::string numbers;
    for (int i = 0; i < 9; ++i)
      numbers += fmt::format("{}{}", i ? " " : "", header.cell->vectors(i / 3, i % 3) + 0.0);
    line += fmt::format("Lattice=\"{}\" ", numbers);
    periodic = header.cell->periodic;
  }
  line += "Properties=";
  for (std::size_t i = 0; i < header.columns.size(); ++i) {
    const PropertyColumn& c = header.columns[i];
    line += fmt::format("{}{}:{}:{}", i ? ":" : "", c.name, c.type, c.width);
  }
  line += fmt::format(" pbc=\"{} {} {}\"", periodic[0] ? 'T' : 'F', periodic[1] ? 'T' : 'F',
                      periodic[2] ? 'T' : 'F');
  for (const auto& [key, value] : header.comments) line += fmt::format(" {}={}", quoted(key), quoted(value));
  return line;
}

}  // namespace aetos::io
