#include <algorithm>
#include <numeric>

#include "codec.hpp"

namespace aetos::config {
namespace {

/// Edit distance that counts a swap of neighbours once (optimal string alignment; Boytsov 2011, section 3.1).
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> two_ago, one_ago(b.size() + 1), row(b.size() + 1);
  std::iota(one_ago.begin(), one_ago.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({one_ago[j] + 1, row[j - 1] + 1, one_ago[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], two_ago[j - 2] + 1);
    }
    two_ago = one_ago;
    one_ago = row;
  }
  return one_ago[b.size()];
}

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return std::tolower(c); });
  return s;
}

/// The name without its unit: pixel_nm and pixel_A share "pixel".
std::string stem(const std::string& key) {
  return key.substr(0, key.find_last_of('_'));
}

struct Candidate {
  std::string dotted;
  std::size_t distance;
};

void consider(std::optional<Candidate>& best, const std::string& key, const std::string& name,
              const std::string& dotted) {
  std::size_t distance = edit_distance(lower(key), lower(name));
  const bool other_unit = stem(key) == stem(name) || key == stem(name) || stem(key) == name;
  if (other_unit) distance = std::min<std::size_t>(distance, 1);
  if (distance > std::max<std::size_t>(2, key.size() / 3)) return;
  if (!best || distance < best->distance) best = Candidate{dotted, distance};
}

void consider_all(std::optional<Candidate>& best, const std::string& key, const std::vector<Entry>& entries,
                  const std::string& prefix) {
  for (const auto& entry : entries) {
    if (entry.name == key || stem(entry.name) == key) consider(best, key, entry.name, prefix + entry.name);
    consider_all(best, key, entry.about.entries, prefix + entry.name + ".");
  }
}

}  // namespace

InputError unknown_key(const Reader& reader, const YamlNode& node, const std::string& key,
                       const std::vector<Entry>& siblings) {
  std::optional<Candidate> best;
  for (const auto& entry : siblings) consider(best, key, entry.name, entry.name);
  // A key of another section, spelt right, is a better guess than a sibling spelt otherwise.
  std::optional<Candidate> elsewhere;
  consider_all(elsewhere, key, *reader.keys, "");
  if (elsewhere && (!best || best->distance > elsewhere->distance)) best = elsewhere;

  const std::string section = reader.dotted();
  std::string found = "unknown key '" + key + "'" + (section.empty() ? "" : " in " + section);
  if (best) return InputError(node.place, found + "; did you mean '" + best->dotted + "'?");
  std::string known;
  for (const auto& entry : siblings) known += (known.empty() ? "" : ", ") + entry.name;
  return InputError(node.place, found, "one of " + known);
}

}  // namespace aetos::config
