#include "aetos/pipeline/report_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

namespace aetos::pipeline::report {

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // Other control characters have no place in HTML.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

std::optional<double> number(const nlohmann::json& object, const std::string& key) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

const nlohmann::json& at(const nlohmann::json& object, const std::string& key) {
  static const nlohmann::json nothing = nlohmann::json::object();
  const auto found = object.find(key);
  return found == object.end() || !found->is_object() ? nothing : *found;
}

const nlohmann::json& list_at(const nlohmann::json& object, const std::string& key) {
  static const nlohmann::json nothing = nlohmann::json::array();
  const auto found = object.find(key);
  return found == object.end() || !found->is_array() ? nothing : *found;
}

std::vector<double> csv_column(const std::string& csv, const std::string& name) {
  std::istringstream lines(csv);
  std::string line, cell;
  std::size_t wanted = 0;
  bool found = false;
  std::getline(lines, line);
  std::istringstream head(line);
  while (!found && std::getline(head, cell, ',')) {
    found = cell == name;
    if (!found) ++wanted;
  }
  std::vector<double> values;
  while (found && std::getline(lines, line)) {
    std::istringstream row(line);
    for (std::size_t i = 0; i <= wanted; ++i)
      if (!std::getline(row, cell, ',')) cell.clear();
    char* end = nullptr;
    const double value = std::strtod(cell.c_str(), &end);
    if (end != cell.c_str()) values.push_back(value);
  }
  return values;
}

std::vector<std::vector<std::string>> csv_rows(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream text(csv);
  std::string line;
  std::getline(text, line);
  while (std::getline(text, line)) {
    std::vector<std::string> cells(1);
    for (const char c : line)
      if (c == ',')
        cells.emplace_back();
      else
        cells.back() += c;
    rows.push_back(std::move(cells));
  }
  return rows;
}

std::string text(const nlohmann::json& object, const std::string& key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::string format(std::optional<double> value, int decimals) {
  if (!value || !std::isfinite(*value)) return "–";
  std::string digits = fmt::format("{:.{}f}", std::abs(*value), decimals);
  const auto point = digits.find('.');
  auto place = static_cast<std::ptrdiff_t>(point == std::string::npos ? digits.size() : point);
  for (place -= 3; place > 0; place -= 3) digits.insert(static_cast<std::size_t>(place), 1, ',');
  const bool negative = *value < 0 && digits.find_first_of("123456789") != std::string::npos;
  return fmt::format("{}{}", negative ? "−" : "", digits);
}

std::string format_short(double value) {
  if (!std::isfinite(value)) return "–";
  const double size = std::abs(value);
  const char* sign = value < 0 ? "−" : "";
  if (size != 0 && (size < 1e-3 || size >= 1e7)) return fmt::format("{}{:.3g}", sign, size);
  const int decimals = size == 0 ? 0 : std::max(0, 2 - static_cast<int>(std::floor(std::log10(size))));
  std::string digits = format(size, decimals);
  if (decimals > 0) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  return fmt::format("{}{}", sign, digits);
}

std::string format_percent(std::optional<double> fraction) {
  return fraction ? format(100 * *fraction, 1) + " %" : "–";
}

std::string format_bytes(double bytes) {
  if (bytes < 1024) return format(bytes) + " B";
  if (bytes < 1024.0 * 1024) return format(bytes / 1024, 0) + " KiB";
  if (bytes < 1024.0 * 1024 * 1024) return format(bytes / (1024.0 * 1024), 1) + " MiB";
  return format(bytes / (1024.0 * 1024 * 1024), 1) + " GiB";
}

std::string section(const std::string& id, const std::string& title, const std::string& body) {
  return "<section id=\"" + escape(id) + "\">\n<h2>" + escape(title) + "</h2>\n" + body + "</section>\n";
}

std::string figure(const std::string& title, const std::string& content, const std::string& caption) {
  std::string out = "<figure>\n";
  if (!title.empty()) out += "<h3>" + escape(title) + "</h3>\n";
  out += content;
  if (!caption.empty()) out += "<figcaption>" + escape(caption) + "</figcaption>\n";
  return out + "</figure>\n";
}

std::string row(const std::vector<std::string>& figures, int columns) {
  std::string out = fmt::format("<div class=\"row c{}\">\n", columns);
  for (const auto& f : figures) out += f;
  return out + "</div>\n";
}

std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<div class=\"scroll\"><table>\n<thead><tr>";
  for (const auto& cell : head) out += "<th>" + escape(cell) + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& line : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < line.size(); ++i)
      out += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", escape(line[i]))
                    : fmt::format("<td>{}</td>", escape(line[i]));
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string paragraph(const std::string& html) {
  return "<p>" + html + "</p>\n";
}

std::string folded(const std::string& title, const std::string& preformatted) {
  return "<details><summary>" + escape(title) + "</summary>\n<pre>" + escape(preformatted) +
         "</pre></details>\n";
}

std::string headlines(const std::vector<Headline>& items) {
  std::string out = "<dl class=\"headlines\">\n";
  for (const auto& item : items) {
    out +=
        "<div><dt>" + escape(item.label) + "</dt><dd><span class=\"big\">" + escape(item.value) + "</span>";
    if (!item.unit.empty()) out += "<span class=\"unit\"> " + escape(item.unit) + "</span>";
    out += "<span class=\"detail\">" + escape(item.detail) + "</span></dd></div>\n";
  }
  return out + "</dl>\n";
}

std::string page(const std::string& title, const std::string& subtitle, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
         escape(title) + " · AETOS</title>\n<style>\n" + kStyle +
         "</style>\n</head>\n<body>\n<main>\n<header>\n<h1>" + escape(title) +
         "</h1>\n<p class=\"subtitle\">" + escape(subtitle) + "</p>\n</header>\n" + body +
         "</main>\n</body>\n</html>\n";
}

}  // namespace aetos::pipeline::report
