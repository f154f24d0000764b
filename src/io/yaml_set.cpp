// --set KEY=VALUE.
#include <algorithm>
#include <sstream>

#include "aetos/core/error.hpp"
#include "aetos/io/yaml_document.hpp"

namespace aetos::io {
namespace {

std::vector<std::string> split_key(const std::string& dotted, const std::string& place) {
  std::vector<std::string> parts;
  std::stringstream stream(dotted);
  for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
  if (parts.empty() || dotted.back() == '.' || std::find(parts.begin(), parts.end(), "") != parts.end())
    throw InputError(place, "the key '" + dotted + "'", "names joined by dots, as in microscope.voltage_kV");
  return parts;
}

void set_places(YamlNode& node, const std::string& place) {
  node.place = place;
  for (auto& item : node.items) set_places(item, place);
  for (auto& member : node.members) set_places(member.second, place);
}

YamlNode& list_item(YamlNode& list, const std::string& part, const std::string& place) {
  const bool digits = part.find_first_not_of("0123456789") == std::string::npos && part.size() < 7;
  const std::size_t index = digits ? std::stoul(part) : list.items.size() + 1;
  if (index > list.items.size())
    throw InputError(place, "'" + part + "'",
                     "the number of a list item from 0 to " + std::to_string(list.items.size()));
  if (index == list.items.size()) list.items.emplace_back();
  return list.items[index];
}

}  // namespace

void set_by_path(YamlNode& root, const std::string& dotted_key, const std::string& yaml_value) {
  const std::string place = "--set " + dotted_key;
  const auto parts = split_key(dotted_key, place);
  YamlNode value;
  try {
    value = parse_yaml(yaml_value, place);
  } catch (const InputError& e) {
    throw InputError(place, e.found(), e.expected());
  }
  if (value.kind == YamlNode::Kind::null) throw InputError(place, "nothing", "a value: KEY=VALUE");
  set_places(value, place);

  YamlNode* node = &root;
  for (const auto& part : parts) {
    if (node->kind == YamlNode::Kind::sequence) {
      node = &list_item(*node, part, place);
      continue;
    }
    if (node->kind != YamlNode::Kind::map) {  // nothing there yet, or one word that a map replaces
      *node = YamlNode{};
      node->kind = YamlNode::Kind::map;
      node->place = place;
    }
    YamlNode* next = node->find(part);
    if (!next) next = &node->members.emplace_back(part, YamlNode{}).second;
    node = next;
  }
  *node = std::move(value);
}

}  // namespace aetos::io
