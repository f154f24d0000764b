#include "aetos/io/yaml_document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "aetos/core/error.hpp"

namespace aetos::io {
namespace {

constexpr std::size_t kMaxNodes = 1'000'000;  // also what aliases of aliases may grow to
constexpr std::size_t kMaxDepth = 64;
constexpr std::uintmax_t kMaxBytes = 16u << 20;

std::string line_place(const std::string& name, int zero_based_line) {
  return name + ":" + std::to_string(zero_based_line + 1);
}

std::size_t count_nodes(const YamlNode& node) {
  std::size_t n = 1;
  for (const auto& item : node.items) n += count_nodes(item);
  for (const auto& member : node.members) n += count_nodes(member.second);
  return n;
}

/// Builds the tree from yaml-cpp's events. Its own Node type drops what strictness needs: lines of every
/// node, quotes, the second of two equal keys, and aliases that contain themselves.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& name) : name_(name) {}
  std::optional<YamlNode> root;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) throw InputError(place(mark), "an empty key", "a name");
    complete(start(mark, YamlNode::Kind::null, "?"), anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = start(mark, YamlNode::Kind::scalar, tag);
    node.scalar = value;
    node.quoted = tag == "!" || tag == kStringTag;
    if (expects_key()) return take_key(node);
    complete(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) throw InputError(place(mark), "an alias as a key", "a name");
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end())
      throw InputError(place(mark), "an alias that contains itself",
                       "an alias of a value that ends before it");
    nodes_ += count_nodes(known->second);
    check_size(mark);
    complete(known->second, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, YamlNode::Kind::sequence, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, YamlNode::Kind::map, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::optional<std::string> key;           // waiting for its value
    std::map<std::string, std::string> seen;  // keys so far, with their places
  };
  static constexpr const char* kStringTag = "tag:yaml.org,2002:str";

  std::string place(const YAML::Mark& mark) const { return line_place(name_, mark.line); }

  void check_size(const YAML::Mark& mark) const {
    if (nodes_ > kMaxNodes) throw InputError(place(mark), "more than a million values", "a smaller file");
  }

  YamlNode start(const YAML::Mark& mark, YamlNode::Kind kind, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!" && tag != kStringTag)
      throw InputError(place(mark), "the YAML tag '" + tag + "'", "plain YAML without tags");
    ++nodes_;
    check_size(mark);
    YamlNode node;
    node.kind = kind;
    node.place = place(mark);
    return node;
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == YamlNode::Kind::map && !open_.back().key;
  }

  void take_key(const YamlNode& node) {
    if (!node.quoted && node.scalar == "<<")
      throw InputError(node.place, "a merge key '<<'", "the keys themselves (merge keys are not supported)");
    if (node.scalar.empty()) throw InputError(node.place, "an empty key", "a name");
    auto& map = open_.back();
    const auto [first, is_new] = map.seen.emplace(node.scalar, node.place);
    if (!is_new)
      throw InputError(node.place,
                       "the key '" + node.scalar + "' a second time (first at " + first->second + ")",
                       "each key once");
    map.key = node.scalar;
  }

  void open(const YAML::Mark& mark, YamlNode::Kind kind, const std::string& tag, YAML::anchor_t anchor) {
    if (expects_key())
      throw InputError(place(mark), "a list or a map as a key, or a bracket that is not closed", "a name");
    if (open_.size() >= kMaxDepth)
      throw InputError(place(mark), "values nested too deeply", "a flatter file");
    open_.push_back({start(mark, kind, tag), anchor, {}, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    complete(std::move(done.node), done.anchor);
  }

  void complete(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    if (open_.empty()) {
      root = std::move(node);
    } else if (auto& parent = open_.back(); parent.node.kind == YamlNode::Kind::sequence) {
      parent.node.items.push_back(std::move(node));
    } else {
      parent.node.members.emplace_back(*parent.key, std::move(node));
      parent.key.reset();
    }
  }

  const std::string& name_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t nodes_ = 0;
};

/// Length of the UTF-8 character that starts at `at`, 0 if there is none.
std::size_t utf8_length(const std::string& text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return 0;
  return length;
}

void refuse_other_encodings(const std::string& text, const std::string& name) {
  if (text.find('\0') != std::string::npos) throw InputError(name, "a binary file", "YAML text in UTF-8");
  for (std::size_t at = 0, length = 0; at < text.size(); at += length) {
    length = utf8_length(text, at);
    if (length > 0) continue;
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    throw InputError(line_place(name, static_cast<int>(line)), "a character that is not UTF-8",
                     "text in UTF-8");
  }
}

/// Tabs as indentation are refused by name: yaml-cpp's own message for them speaks of something else.
void refuse_tabs(const std::string& text, const std::string& name) {
  int line = 0;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto first = text.find_first_not_of(" \t\r", at);
    const bool blank = first == std::string::npos || first >= end || text[first] == '#';
    if (!blank && text.substr(at, first - at).find('\t') != std::string::npos)
      throw InputError(line_place(name, line), "a tab in the indentation", "spaces");
    at = end + 1;
  }
}

}  // namespace

const YamlNode* YamlNode::find(const std::string& key) const {
  for (const auto& [name, node] : members)
    if (name == key) return &node;
  return nullptr;
}

YamlNode* YamlNode::find(const std::string& key) {
  return const_cast<YamlNode*>(static_cast<const YamlNode*>(this)->find(key));
}

bool YamlNode::is_word(const std::string& word) const {
  return kind == Kind::scalar && !quoted && scalar == word;
}

YamlNode parse_yaml(const std::string& text, const std::string& name) {
  const bool bom = text.starts_with("\xEF\xBB\xBF");
  const std::string body = bom ? text.substr(3) : text;
  refuse_other_encodings(body, name);
  refuse_tabs(body, name);
  Builder builder(name);
  try {
    std::istringstream stream(body);
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Builder second(name);
    if (parser.HandleNextDocument(second)) {
      const std::string where = second.root ? second.root->place : name;
      throw InputError(where, "a second YAML document ('---')", "one document");
    }
  } catch (const YAML::Exception& e) {
    throw InputError(line_place(name, std::max(e.mark.line, 0)), "YAML that cannot be read (" + e.msg + ")");
  }
  YamlNode empty;
  empty.place = line_place(name, 0);
  return builder.root ? std::move(*builder.root) : empty;
}

YamlNode read_yaml_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw InputError(path, "a folder", "a YAML file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(path, "no such file, or it cannot be read", "a YAML file");
  const auto bytes = std::filesystem::file_size(path, error);
  if (!error && bytes > kMaxBytes)
    throw InputError(path, "a file of " + std::to_string(bytes >> 20) + " MiB", "a YAML file below 16 MiB");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_yaml(text.str(), path);
}

}  // namespace aetos::io
