// The report's figures of what departs from a perfect or a random arrangement: dislocations, short-range
// order.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/pipeline/report_page.hpp"
#include "aetos/pipeline/report_sections.hpp"

namespace aetos::pipeline::report {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLinesShown = 12;

/// "½[1 −1 0]" of numbers that are whole or halves.
std::string burgers_words(const Json& b) {
  if (b.size() != 3) return "–";
  const bool halves = std::any_of(b.begin(), b.end(), [](const Json& v) {
    return std::abs(v.get<double>() - std::round(v.get<double>())) > 0.25;
  });
  std::string words = halves ? "½[" : "[";
  for (std::size_t k = 0; k < 3; ++k)
    words += fmt::format("{}{}", k ? " " : "", format((halves ? 2 : 1) * b[k].get<double>()));
  return words + "]";
}

std::string dislocations_part(const Json& dislocations) {
  if (dislocations.empty()) return {};
  const auto& lines = list_at(dislocations, "lines");
  const std::string words =
      format(number(dislocations, "number")) + " dislocation lines, " +
      format(number(dislocations, "length_A"), 1) +
      " Å together. Data: dislocations.csv; the column dislocation of atoms-analyzed.extxyz marks "
      "their atoms.";
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < std::min(kLinesShown, lines.size()); ++i) {
    const auto& line = lines[i];
    const auto &phases = list_at(line, "phases"), &place = list_at(line, "place_A");
    std::string where, at_place;
    for (const auto& p : phases)
      if (where.find(p.get<std::string>()) == std::string::npos)
        where += fmt::format("{}{}", where.empty() ? "" : " – ", p.get<std::string>());
    for (const auto& p : place)
      at_place += fmt::format("{}{}", at_place.empty() ? "" : ", ", format(p.get<double>(), 1));
    const auto network = line.find("network");
    if (network != line.end() && network->is_boolean() && network->get<bool>()) where += ", a network";
    rows.push_back({where, burgers_words(list_at(line, "burgers_cube")), format(number(line, "burgers_A"), 2),
                    format(number(line, "length_A"), 1), format(number(line, "character_deg"), 0), at_place});
  }
  return (rows.empty() ? ""
                       : table({"Dislocation in", "Burgers vector", "Its length (Å)", "Line (Å)",
                                "Character (°, edge 90)", "Middle x, y, z (Å)"},
                               rows)) +
         paragraph(escape(words));
}

/// Bars to the left (more such neighbours than by chance) and right (fewer).
std::string order_bars(const std::vector<std::pair<std::string, double>>& values) {
  constexpr double width = 480, left = 76, right = 56, row_height = 26;
  double most = 0.05;
  for (const auto& [pair, alpha] : values) most = std::max(most, std::abs(alpha));
  const double middle = left + (width - left - right) / 2, unit = (width - left - right) / 2 / most;
  const double height = row_height * static_cast<double>(values.size()) + 24;
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Warren-Cowley parameters\">", width, height);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& [pair, alpha] = values[i];
    const double y = row_height * static_cast<double>(i) + 4, size = std::abs(alpha) * unit;
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", left - 8, y + 14,
                       escape(pair));
    svg += fmt::format("<rect class=\"bar-data\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"18\"/>",
                       alpha < 0 ? middle - size : middle, y, size);
    svg += fmt::format("<text class=\"value\" x=\"{}\" y=\"{:.1f}\">{}</text>", width - right + 8, y + 14,
                       format(alpha, 3));
  }
  svg += fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1:.1f}\"/>", middle,
                     height - 20);
  svg += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">← more than by chance · fewer →</text>", middle,
      height - 4);
  return svg + "</svg>\n";
}

std::string short_range_part(const Json& sro) {
  std::vector<std::pair<std::string, double>> values;
  for (const auto& [pair, alpha] : at(sro, "warren_cowley").items())
    if (alpha.is_number()) values.emplace_back(pair, alpha.get<double>());
  if (values.empty()) return {};
  return row({figure("Short-range order", order_bars(values),
                     "Warren-Cowley parameters of the first shell, 1 − p(second | first) / c(second): 0 by "
                     "chance, negative "
                     "where the pair is favoured. Data: sro.csv")},
             2);
}

}  // namespace

std::string order_part(const Json& analysis) {
  return dislocations_part(at(analysis, "dislocations")) + short_range_part(at(analysis, "sro"));
}

}  // namespace aetos::pipeline::report
