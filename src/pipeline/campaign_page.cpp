// The page over all members of a campaign.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "aetos/pipeline/campaign_collect.hpp"
#include "aetos/pipeline/plan.hpp"
#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_plots.hpp"

namespace aetos::pipeline::campaign {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// What the page shows of each member.
struct Measure {
  const char* column;
  const char* label;
  int decimals;
  double scale;
};
constexpr Measure kMeasures[] = {
    {"compare.rmsd_pm", "RMSD, pm", 1, 1},        {"compare.identified_fraction", "Identified, %", 1, 100},
    {"compare.false_atoms", "False atoms", 0, 1}, {"trace.atoms", "Atoms traced", 0, 1},
    {"reconstruct.r_factor", "R-factor", 4, 1},
};

std::optional<double> shown(const Json& row, const Measure& measure) {
  const auto value = report::number(row, measure.column);
  if (!value) return std::nullopt;
  return *value * measure.scale;
}

std::string distribution(const Results& results, const Measure& measure) {
  std::vector<double> values;
  for (const auto& row : results.rows)
    if (const auto value = shown(row, measure)) values.push_back(*value);
  if (values.size() < 3) return {};
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const auto range =
      fmt::format("{} members, from {} to {}.", values.size(), report::format(*low, measure.decimals),
                  report::format(*high, measure.decimals));
  const auto bars = report::histogram(values, 20);
  if (*low == *high || bars.edges.empty()) return report::figure(measure.label, "", range);
  return report::figure(measure.label,
                        report::histogram_plot({.label = measure.label}, {.label = "members", .low = 0.0},
                                               bars.edges, bars.counts, {}, measure.label),
                        range);
}

std::string cell(const std::string& text) {
  return "<td>" + report::escape(text) + "</td>";
}

/// A member's name, linked to its report where there is one. Names are plain, so the link needs no encoding.
std::string name_cell(const Campaign& campaign, const std::string& name) {
  const auto link = "members/" + name + "/" + files::run + "/" + pipeline::files::report;
  const auto text = report::escape(name);
  const bool there = fs::exists(campaign.folder / link);
  return "<th>" + (there ? "<a href=\"" + report::escape(link) + "\">" + text + "</a>" : text) + "</th>";
}

std::string member_table(const Campaign& campaign, const Results& results,
                         const std::vector<std::size_t>& order, const std::vector<double>& scores) {
  std::string html = "<div class=\"scroll\"><table><thead><tr><th>Member</th><th>State</th>";
  for (const auto& [key, value] : campaign.members[0].varied) html += "<th>" + report::escape(key) + "</th>";
  for (const auto& measure : kMeasures) html += "<th>" + report::escape(measure.label) + "</th>";
  html += "<th>Deviation</th></tr></thead><tbody>\n";
  for (const auto i : order) {
    const auto& row = results.rows[i];
    html += "<tr>" + name_cell(campaign, campaign.members[i].name) + cell(report::text(row, "state"));
    for (const auto& [key, value] : campaign.members[i].varied) html += cell(value);
    for (const auto& measure : kMeasures) html += cell(report::format(shown(row, measure), measure.decimals));
    html += cell(report::format(scores[i], 1)) + "</tr>\n";
  }
  return html + "</tbody></table></div>";
}

std::string failures(const Campaign& campaign, const Results& results) {
  std::string items;
  for (std::size_t i = 0; i < results.rows.size(); ++i)
    if (report::text(results.rows[i], "state") == state_name(State::failed))
      items += "<li>" + report::escape(campaign.members[i].name) + ": " +
               report::escape(report::text(results.rows[i], "reason")) + "</li>\n";
  return items.empty() ? ""
                       : report::section("failed", "Failed", "<ul class=\"warnings\">" + items + "</ul>");
}

long with_state(const Results& results, State state) {
  return std::count_if(results.rows.begin(), results.rows.end(),
                       [&](const Json& row) { return report::text(row, "state") == state_name(state); });
}

}  // namespace

std::string page(const Campaign& campaign, const Results& results) {
  const auto scores = outlier_scores(results);
  std::vector<std::size_t> order(results.rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });

  std::string body = report::headlines({
      {std::to_string(results.rows.size()), "", "members", ""},
      {std::to_string(with_state(results, State::done)), "", "done", ""},
      {std::to_string(with_state(results, State::failed)), "", "failed", ""},
  });
  body += failures(campaign, results);
  std::vector<std::string> figures;
  for (const auto& measure : kMeasures)
    if (auto figure = distribution(results, measure); !figure.empty()) figures.push_back(std::move(figure));
  if (!figures.empty()) body += report::section("distributions", "Over the members", report::row(figures, 3));
  body += report::section(
      "members", "Members, outliers first",
      report::paragraph(
          "Deviation: the largest distance of R-factor, RMSD, identified share and false atoms from "
          "their medians over all members, in median absolute deviations.") +
          member_table(campaign, results, order, scores));
  return report::page(campaign.project, fmt::format("A campaign of {} runs", results.rows.size()), body);
}

}  // namespace aetos::pipeline::campaign
