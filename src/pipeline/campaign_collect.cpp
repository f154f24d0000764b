// One table of all summaries.
#include "aetos/pipeline/campaign_collect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/pipeline/plan.hpp"

namespace aetos::pipeline::campaign {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Numbers and words by dotted names; short lists (axes) by index.
void flatten(const Json& value, const std::string& name, Json& row) {
  if (value.is_object()) {
    for (const auto& [key, child] : value.items())
      flatten(child, name.empty() ? key : fmt::format("{}.{}", name, key), row);
  } else if (value.is_array()) {
    if (value.size() <= 3 &&
        std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_number(); }))
      for (std::size_t i = 0; i < value.size(); ++i) row[fmt::format("{}.{}", name, i)] = value[i];
  } else if (!value.is_null()) {
    row[name] = value;
  }
}

Json summary_of(const fs::path& run) {
  const auto path = run / pipeline::files::summary;
  if (!fs::exists(path)) return Json::object();
  const auto summary = Json::parse(io::read_text_file(path.string()), nullptr, false);
  return summary.is_object() ? summary : Json::object();
}

/// A swept value is a number where it looks like one.
Json value_of(const std::string& yaml) {
  const auto parsed = Json::parse(yaml, nullptr, false);
  return parsed.is_number() || parsed.is_boolean() ? parsed : Json(yaml);
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : io::json_text(value);
}

std::string csv_cell(const Json& value) {
  const std::string text = text_of(value);
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted(1, '"');
  for (const char c : text) {
    if (c == '"') quoted.push_back('"');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

}  // namespace

Results collect(const Campaign& campaign, const std::vector<MemberStatus>& members) {
  Results results;
  results.columns = {"name", "state", "reason", "particle"};
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& member = campaign.members[i];
    Json measured = Json::object();
    flatten(summary_of(campaign.folder_of(member) / files::run), "", measured);
    Json row = measured;
    row["name"] = member.name;
    row["state"] = state_name(members[i].state);
    row["reason"] = members[i].reason;
    row["particle"] = member.particle;
    for (const auto& [key, value] : member.varied) {
      row[key] = value_of(value);
      if (std::find(results.columns.begin(), results.columns.end(), key) == results.columns.end())
        results.columns.push_back(key);
    }
    results.rows.push_back(std::move(row));
  }
  const std::size_t fixed = results.columns.size();
  for (const auto& row : results.rows)
    for (const auto& [key, value] : row.items())
      if (std::find(results.columns.begin(), results.columns.end(), key) == results.columns.end())
        results.columns.push_back(key);
  std::sort(results.columns.begin() + static_cast<std::ptrdiff_t>(fixed), results.columns.end());
  return results;
}

std::string to_csv(const Results& results) {
  std::string text;
  for (std::size_t c = 0; c < results.columns.size(); ++c) {
    if (c > 0) text.push_back(',');
    text.append(csv_cell(results.columns[c]));
  }
  text.push_back('\n');
  for (const auto& row : results.rows) {
    for (std::size_t c = 0; c < results.columns.size(); ++c) {
      if (c > 0) text += ",";
      if (const auto found = row.find(results.columns[c]); found != row.end()) text += csv_cell(*found);
    }
    text += "\n";
  }
  return text;
}

std::vector<io::TableColumn> to_columns(const Results& results) {
  const auto is_number = [](const Json& value) { return value.is_number() || value.is_boolean(); };
  std::vector<io::TableColumn> columns;
  for (const auto& name : results.columns) {
    io::TableColumn column{name};
    const bool numbers = std::all_of(results.rows.begin(), results.rows.end(), [&](const Json& row) {
      return !row.contains(name) || is_number(row[name]);
    });
    for (const auto& row : results.rows) {
      const auto found = row.find(name);
      const bool absent = found == row.end();
      if (numbers)
        column.numbers.push_back(absent                ? std::numeric_limits<double>::quiet_NaN()
                                 : found->is_boolean() ? static_cast<double>(found->get<bool>())
                                                       : found->get<double>());
      else
        column.texts.push_back(absent ? std::string() : text_of(*found));
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

std::vector<double> outlier_scores(const Results& results) {
  std::vector<double> scores(results.rows.size(), 0.0);
  for (const char* measure :
       {"reconstruct.r_factor", "compare.rmsd_pm", "compare.identified_fraction", "compare.false_atoms"}) {
    std::vector<double> values, distances;
    for (const auto& row : results.rows)
      if (row.contains(measure) && row[measure].is_number()) values.push_back(row[measure]);
    if (values.size() < 3) continue;
    const double centre = median(values);
    for (const double value : values) distances.push_back(std::abs(value - centre));
    // Where most are equal the deviation is zero; a hundredth of the value keeps the scale finite.
    const double spread = std::max(median(distances), 0.01 * std::abs(centre) + 1e-12);
    for (std::size_t i = 0; i < scores.size(); ++i)
      if (results.rows[i].contains(measure) && results.rows[i][measure].is_number())
        scores[i] = std::max(scores[i], std::abs(results.rows[i][measure].get<double>() - centre) / spread);
  }
  return scores;
}

void write_results(const Campaign& campaign, const Results& results) {
  io::write_file_atomically(campaign.folder / "results.csv", to_csv(results));
  const Json json{{"project", campaign.project}, {"columns", results.columns}, {"members", results.rows}};
  io::write_file_atomically(campaign.folder / "results.json", io::json_text(json, 1) + "\n");
  io::write_table(campaign.folder / "results.h5", "members", results.rows.size(), to_columns(results));
  io::write_file_atomically(campaign.folder / "index.html", page(campaign, results));
}

}  // namespace aetos::pipeline::campaign
