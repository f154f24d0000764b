#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// A YAML file read strictly: decimal numbers only, no duplicate keys, no second document, no aliases that
/// contain themselves, no merge keys, logical values true and false alone. Every node knows where it stands.
namespace aetos::io {

struct YamlMember;

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  std::string place;   ///< "demo.yaml:12" or "--set microscope.voltage_kV"
  std::string scalar;  ///< as written, without quotes
  bool quoted = false;
  std::vector<YamlNode> items;      ///< of a sequence
  std::vector<YamlMember> members;  ///< of a map, in the order of the file

  const YamlNode* find(const std::string& key) const;
  YamlNode* find(const std::string& key);
  /// Whether it is exactly this plain word, e.g. auto.
  bool is_word(const std::string& word) const;
};

/// A key of a map with its value. A type of its own: a vector may hold a type that is not complete yet, a
/// pair of one may not.
struct YamlMember {
  YamlMember(std::string key, YamlNode value) : first(std::move(key)), second(std::move(value)) {}
  std::string first;
  YamlNode second;
};

/// Reads one document. Throws InputError with file:line. An empty document is a null node.
YamlNode read_yaml_file(const std::string& path);
YamlNode parse_yaml(const std::string& text, const std::string& name);

/// Sets a dotted key (`a.b.c`, list items by index) to a value written in YAML; used by --set. Missing maps
/// on the way are made; a list index may be that of an existing item or the next free one. Places read "--set
/// a.b.c".
void set_by_path(YamlNode& root, const std::string& dotted_key, const std::string& yaml_value);

/// The value of a scalar, or InputError(place, found, expected). Numbers are decimal (010 is 10, 1e3 is
/// 1000); quoted numbers, 0x10, 1_000, .nan, .inf and numbers with a unit behind them are refused.
double as_number(const YamlNode& node);
/// An integer; 1e3 and 200.0 count, 1.5 does not.
std::int64_t as_integer(const YamlNode& node);
std::uint64_t as_unsigned(const YamlNode& node);
/// true or false; yes, no, on, off, 1 and 0 are refused with a hint.
bool as_boolean(const YamlNode& node);
/// Any scalar but null, as written: Y, N and No stay text.
std::string as_text(const YamlNode& node);
/// What stands there in words, for messages: "'50 A'", "a list", "nothing".
std::string describe_found(const YamlNode& node);

/// Nodes to write.
YamlNode yaml_plain(std::string word);
YamlNode yaml_number(double value);
YamlNode yaml_text(std::string text);  ///< always quoted when written
YamlNode yaml_list(std::vector<YamlNode> items);
YamlNode yaml_map(std::vector<YamlMember> members);
/// Text in double quotes, with escapes.
std::string yaml_quoted(const std::string& text);
/// One line: {a: 1, b: [x, y]}.
std::string yaml_flow(const YamlNode& node);
/// A document: maps in block style down to `block_depth` levels, the rest on one line each.
std::string yaml_block(const YamlNode& map, int block_depth = 2);

}  // namespace aetos::io
