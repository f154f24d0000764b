#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aetos/core/error.hpp"
#include "aetos/io/yaml_document.hpp"

/// One description of each value of the config, from which the reader, the writer of config.resolved.yaml,
/// the JSON schema, docs/config.md and did-you-mean all come.
namespace aetos::config {

using io::YamlNode;
using json = nlohmann::ordered_json;

struct Entry;

/// What a value may be: in words (for docs and messages), as JSON schema, and, for a map, its keys.
struct About {
  std::string words;
  json schema;
  std::vector<Entry> entries;
};

/// A key of a map as documentation and did-you-mean see it.
struct Entry {
  std::string name, meaning;
  bool required = false;
  std::optional<YamlNode> standard;  ///< default
  About about;
};

/// "demo.yaml:7, scan.pixel_A", or "--set scan.pixel_A" where that says it all.
std::string place_with_key(const std::string& place, const std::string& dotted);

/// The state of one reading: where it stands, and everything wrong so far.
class Reader {
 public:
  Reader(std::string config_file, const std::vector<Entry>* all)
      : file(std::move(config_file)),
        folder(std::filesystem::absolute(file).parent_path().lexically_normal()),
        keys(all) {}

  std::string file;
  std::filesystem::path folder;    ///< relative paths of the file start here
  const std::vector<Entry>* keys;  ///< of the whole config, to find a key that stands in the wrong section
  std::vector<InputError> errors;
  std::vector<std::string> notes;
  std::map<std::string, std::string> places;  ///< of every key given, by dotted name

  void enter(const std::string& name) { path_.push_back(name); }
  void leave() { path_.pop_back(); }
  /// "detectors.0.kind"
  std::string dotted() const;
  std::string dotted(const std::string& key) const { return path_.empty() ? key : dotted() + "." + key; }

  bool given(const std::string& dotted_key) const { return places.contains(dotted_key); }
  /// "demo.yaml:7, scan.pixel_A": the line of the key or of the section that lacks it, or the file.
  std::string place_of(const std::string& dotted_key) const;
  void fail(std::string place, std::string found, std::string expected = {}) {
    errors.emplace_back(std::move(place), std::move(found), std::move(expected));
  }
  /// Runs `read` for the value of a key: remembers its place, and keeps what it throws with the key's name
  /// added.
  void value(const std::string& key, const YamlNode& node, const std::function<void()>& read);

 private:
  std::vector<std::string> path_;
};

template <class T>
struct Codec {
  About about;
  std::function<void(Reader&, const YamlNode&, T&)> read;  ///< throws InputError; maps collect instead
  std::function<YamlNode(const T&)> write;
};

template <class S>
struct Field {
  std::string name, meaning;
  bool required = false;
  About about;
  std::function<void(Reader&, const YamlNode&, S&)> read;
  std::function<std::optional<YamlNode>(const S&)> write;  ///< nothing: left out of the resolved config
};

/// A member of S and how it stands in the config. `member` is a pointer to a member, or a function from S& to
/// it.
template <class S, class Member, class T>
Field<S> field(std::string name, Member member, Codec<T> codec, std::string meaning) {
  return {std::move(name),
          std::move(meaning),
          false,
          codec.about,
          [=](Reader& r, const YamlNode& n, S& s) { codec.read(r, n, std::invoke(member, s)); },
          [=](const S& s) { return codec.write(std::invoke(member, const_cast<S&>(s))); }};
}

template <class S>
Field<S> required(Field<S> f) {
  f.required = true;
  return f;
}

/// A key that no list of keys holds: the message of did-you-mean, or that of a key of a later version.
InputError unknown_key(const Reader& reader, const YamlNode& node, const std::string& key,
                       const std::vector<Entry>& siblings);
/// Whether a key or the value it was given belongs to a later version; see not_available.cpp.
std::optional<InputError> not_available(const std::string& dotted, const YamlNode& node);
/// Those keys and values, a line each, for the documentation.
std::vector<std::string> later_list();
/// JSON of a written node, for defaults in the schema.
json to_json(const YamlNode& node);
json object_schema(const std::vector<Entry>& entries);

/// A map with these keys.
template <class S>
Codec<S> group(std::vector<Field<S>> fields, const S& standard = S{}) {
  Codec<S> codec;
  for (const auto& f : fields)
    codec.about.entries.push_back({f.name, f.meaning, f.required, f.write(standard), f.about});
  codec.about.words = "map";
  codec.about.schema = object_schema(codec.about.entries);
  const auto shared = std::make_shared<const std::vector<Field<S>>>(std::move(fields));
  codec.read = [shared, entries = codec.about.entries](Reader& r, const YamlNode& node, S& s) {
    if (node.kind == YamlNode::Kind::null) return;
    if (node.kind != YamlNode::Kind::map)
      throw InputError(node.place, io::describe_found(node), "a map of keys");
    for (const auto& [key, child] : node.members) {
      if (auto later = not_available(r.dotted(key), child)) {
        r.errors.push_back(*later);
        continue;
      }
      const auto f =
          std::find_if(shared->begin(), shared->end(), [&, &k = key](const auto& x) { return x.name == k; });
      if (f == shared->end())
        r.errors.push_back(unknown_key(r, child, key, entries));
      else
        r.value(key, child, [&, &c = child] { f->read(r, c, s); });
    }
    for (const auto& f : *shared)
      if (f.required && !node.find(f.name))
        r.fail(node.place, "no '" + r.dotted(f.name) + "'", "a value for it: " + f.about.words);
  };
  codec.write = [shared](const S& s) {
    std::vector<io::YamlMember> members;
    for (const auto& f : *shared)
      if (auto node = f.write(s)) members.emplace_back(f.name, std::move(*node));
    return io::yaml_map(std::move(members));
  };
  return codec;
}

struct Limits {
  double min, max;
  std::string usual = {};  ///< "60 to 300"
  bool above_min = false;  ///< min itself is excluded
};

Codec<double> number(Limits limits);
Codec<int> whole(int min, int max);
Codec<std::size_t> count(std::size_t min, std::size_t max);
Codec<std::uint64_t> seed_number();
Codec<bool> boolean();
Codec<std::string> text(const std::string& words);
/// A path relative to the config file's folder (by --set: to the working directory), made absolute. A word
/// among `words` stands for itself; `empty_word` for the empty string.
Codec<std::string> path(const std::string& what, std::vector<std::string> words = {},
                        std::string empty_word = {});
/// An element symbol.
Codec<std::string> element();

/// One of a few words.
template <class E>
Codec<E> word(std::vector<std::pair<std::string, E>> words) {
  Codec<E> codec;
  codec.about.schema["enum"] = json::array();
  for (const auto& [w, value] : words) {
    codec.about.words += (codec.about.words.empty() ? "" : ", ") + w;
    codec.about.schema["enum"].push_back(w);
  }
  codec.read = [words, listed = codec.about.words](Reader&, const YamlNode& node, E& out) {
    const std::string found = node.kind == YamlNode::Kind::scalar ? node.scalar : "";
    for (const auto& [w, value] : words)
      if (w == found) return void(out = value);
    throw InputError(node.place, io::describe_found(node), words.size() > 1 ? "one of " + listed : listed);
  };
  codec.write = [words](const E& value) {
    for (const auto& [w, v] : words)
      if (v == value) return io::yaml_plain(w);
    return YamlNode{};
  };
  return codec;
}

/// A value or a word that stands for "nothing here" (auto, none).
template <class T>
Codec<std::optional<T>> optional(const std::string& empty_word, Codec<T> inner) {
  Codec<std::optional<T>> codec;
  codec.about.words = empty_word + ", or " + inner.about.words;
  codec.about.schema["anyOf"] = json::array({json{{"const", empty_word}}, inner.about.schema});
  codec.read = [=](Reader& r, const YamlNode& node, std::optional<T>& out) {
    if (node.is_word(empty_word)) return void(out = std::nullopt);
    T value{};
    try {
      inner.read(r, node, value);
    } catch (const InputError& e) {
      throw InputError(e.place(), e.found(), e.expected().empty() ? "" : e.expected() + ", or " + empty_word);
    }
    out = std::move(value);
  };
  codec.write = [=](const std::optional<T>& value) {
    return value ? inner.write(*value) : io::yaml_plain(empty_word);
  };
  return codec;
}

/// A list; `least` items at least.
template <class T>
Codec<std::vector<T>> list(Codec<T> item, std::size_t least = 0) {
  Codec<std::vector<T>> codec;
  codec.about.words = "list of " + item.about.words;
  codec.about.schema = json{{"type", "array"}, {"items", item.about.schema}, {"minItems", least}};
  codec.about.entries = item.about.entries;
  codec.read = [=](Reader& r, const YamlNode& node, std::vector<T>& out) {
    if (node.kind != YamlNode::Kind::sequence || node.items.size() < least)
      throw InputError(node.place, io::describe_found(node),
                       "a list" + std::string(least ? " that is not empty" : ""));
    out.clear();
    for (const auto& child : node.items) {
      T value{};
      r.enter(std::to_string(out.size()));
      try {
        item.read(r, child, value);
      } catch (...) {
        r.leave();
        throw;
      }
      r.leave();
      out.push_back(std::move(value));
    }
  };
  codec.write = [=](const std::vector<T>& values) {
    std::vector<YamlNode> items;
    for (const auto& value : values) items.push_back(item.write(value));
    return io::yaml_list(std::move(items));
  };
  return codec;
}

/// A list for which a word stands where it is empty.
template <class T>
Codec<std::vector<T>> list_or_word(const std::string& empty_word, const Codec<T>& item,
                                   std::size_t least = 1) {
  const auto many = list(item, least);
  auto codec = many;
  codec.about.words = empty_word + ", or " + many.about.words;
  codec.about.schema = json{{"anyOf", json::array({json{{"const", empty_word}}, many.about.schema})}};
  codec.read = [=](Reader& r, const YamlNode& node, std::vector<T>& out) {
    if (node.is_word(empty_word)) return void(out.clear());
    many.read(r, node, out);
  };
  codec.write = [=](const std::vector<T>& value) {
    return value.empty() ? io::yaml_plain(empty_word) : many.write(value);
  };
  return codec;
}

/// N numbers, as in [0, 1.5].
template <std::size_t N>
Codec<std::array<double, N>> numbers(const Codec<double>& one, const std::string& axes) {
  Codec<std::array<double, N>> codec;
  codec.about.words = "[" + axes + "], each " + one.about.words;
  codec.about.schema = json{{"type", "array"}, {"items", one.about.schema}, {"minItems", N}, {"maxItems", N}};
  codec.read = [=](Reader& r, const YamlNode& node, std::array<double, N>& out) {
    if (node.kind != YamlNode::Kind::sequence || node.items.size() != N)
      throw InputError(node.place, io::describe_found(node), "[" + axes + "]");
    for (std::size_t i = 0; i < N; ++i) one.read(r, node.items[i], out[i]);
  };
  codec.write = [=](const std::array<double, N>& values) {
    std::vector<YamlNode> items;
    for (double value : values) items.push_back(one.write(value));
    return io::yaml_list(std::move(items));
  };
  return codec;
}

/// N numbers [a, b, ...], or one that stands for all.
template <class T, std::size_t N>
Codec<std::array<T, N>> each_axis(Codec<T> item, const std::string& axes) {
  Codec<std::array<T, N>> codec;
  codec.about.words = item.about.words + "; one for all axes or [" + axes + "]";
  codec.about.schema["anyOf"] =
      json::array({item.about.schema,
                   json{{"type", "array"}, {"items", item.about.schema}, {"minItems", N}, {"maxItems", N}}});
  codec.read = [=](Reader& r, const YamlNode& node, std::array<T, N>& out) {
    if (node.kind == YamlNode::Kind::scalar) {
      item.read(r, node, out[0]);
      out.fill(out[0]);
      return;
    }
    if (node.kind != YamlNode::Kind::sequence || node.items.size() != N)
      throw InputError(node.place, io::describe_found(node), "a number or [" + axes + "]");
    for (std::size_t i = 0; i < N; ++i) item.read(r, node.items[i], out[i]);
  };
  codec.write = [=](const std::array<T, N>& values) {
    std::vector<YamlNode> items;
    for (const auto& value : values) items.push_back(item.write(value));
    return io::yaml_list(std::move(items));
  };
  return codec;
}

}  // namespace aetos::config
