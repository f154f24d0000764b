#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// A YAML file read strictly (INTERFACE, "YAML"): decimal numbers only, no duplicate keys, no second document, no
/// aliases that contain themselves, logical values true and false alone. Every node knows where it stands.
namespace aetos::io {

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  std::string place;   ///< "demo.yaml:12" or "--set microscope.voltage_kV"
  std::string scalar;  ///< as written, without quotes
  bool quoted = false;
  std::vector<YamlNode> items;                            ///< of a sequence
  std::vector<std::pair<std::string, YamlNode>> members;  ///< of a map, in the order of the file

  const YamlNode* find(const std::string& key) const;
};

/// Reads one document. Throws InputError with file:line.
YamlNode read_yaml_file(const std::string& path);
YamlNode parse_yaml(const std::string& text, const std::string& name);
/// Sets a dotted key (`a.b.c`, list items by index) to a value written in YAML; used by --set.
void set_by_path(YamlNode& root, const std::string& dotted_key, const std::string& yaml_value);

}  // namespace aetos::io
