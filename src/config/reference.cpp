// configs/schema.json and docs/config.md, from the descriptions that the reader uses.
#include <fmt/format.h>

#include "aetos/config/load.hpp"
#include "describe.hpp"

namespace aetos::config {
namespace {

constexpr const char* kIntroduction =
    R"(# The master config

Made by `aetos generate reference > docs/config.md` from the same descriptions that the reader uses; don't edit.

- YAML, one document. Numbers are decimal (`010` is 10, `1e3` and `200.0` are whole numbers too) and stand without quotes
  and units; logical values are `true` and `false`. Element symbols such as Y and No are text.
- A key that is not below is an error that names the nearest one. Lengths are in Å, angles in degrees, microscope angles in mrad.
- Relative paths start at the config file's folder; those given by `--set` or `--output` at the working directory.
  A file that holds several arrays takes a name after a colon, as in `projections.mat:projections`.
- `--set KEY=VALUE` sets any key, dotted (`--set microscope.defocus_A=50`, `--set detectors.0.outer_mrad=180`); the value is YAML, and
  `none` or `auto` takes a value away where the table says so.
- The files that stages pass on have fixed names. `reconstruct.input: tilt_series.h5`, `trace.input: volume.h5` and `compare.model: atoms.extxyz`
  mean the run's own file where the config runs the stage that makes it, or where no such file lies beside the config.
)";

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\\|");
  return text;
}

std::string default_cell(const Entry& entry) {
  if (entry.required) return "required";
  if (!entry.standard) return "";
  const bool text = entry.standard->quoted;
  return fmt::format("`{}`", text ? entry.standard->scalar : io::yaml_flow(*entry.standard));
}

std::string capitalised(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

void write_table(std::string& out, const std::vector<Entry>& entries) {
  out += "\n| key | default | values | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& entry : entries)
    if (entry.about.entries.empty())
      out += fmt::format("| `{}` | {} | {} | {} |\n", entry.name, cell(default_cell(entry)),
                         cell(entry.about.words), cell(entry.meaning));
}

void write_section(std::string& out, const std::string& name, const Entry& entry, int level) {
  const bool is_list = entry.about.schema.value("type", "") == "array";
  out += fmt::format("\n{} {}{}\n\n{}.\n", std::string(static_cast<std::size_t>(level), '#'), name,
                     is_list ? " (a list of maps)" : "", capitalised(entry.meaning));
  write_table(out, entry.about.entries);
  for (const auto& child : entry.about.entries)
    if (!child.about.entries.empty()) write_section(out, name + "." + child.name, child, level + 1);
}

}  // namespace

std::string json_schema() {
  json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "AETOS master config"},
              {"$comment", "Made by `aetos generate schema > configs/schema.json`; don't edit."}};
  schema.update(describe_master().about.schema);
  return schema.dump(2) + "\n";
}

std::string markdown_reference() {
  const auto& entries = describe_master().about.entries;
  std::string out = kIntroduction;
  out += "\n## Top level\n";
  write_table(out, entries);
  for (const auto& entry : entries)
    if (!entry.about.entries.empty()) write_section(out, entry.name, entry, 2);
  out += "\n## Not available in this version\n\nThese are refused by name, never ignored.\n\n";
  for (const auto& line : later_list()) out += "- " + line + "\n";
  return out;
}

}  // namespace aetos::config
