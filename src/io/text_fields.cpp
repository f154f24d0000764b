#include "aetos/io/text_fields.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace aetos::io {

std::vector<std::string_view> split_lines(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
  }
  return lines;
}

namespace {
constexpr std::string_view kBlanks = " \t\r\v\f";
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return fields;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::optional<double> to_real(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  if (field.empty() || field.front() == '+') return {};
  std::string with_e;
  if (const auto d = field.find_first_of("dD"); d != std::string_view::npos && d > 0) {
    with_e = field;
    with_e[d] = 'e';
    field = with_e;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error == std::errc::result_out_of_range && end == field.data() + field.size()) {
    // Too small is zero, too large is not a number that anyone means.
    return std::abs(std::strtod(std::string(field).c_str(), nullptr)) < 1 ? std::optional<double>(0.0)
                                                                          : std::nullopt;
  }
  if (error != std::errc{} || end != field.data() + field.size()) return {};
  return value;
}

std::optional<std::int64_t> to_integer(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  if (field.empty() || field.front() == '+') return {};
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size()) return {};
  return value;
}

std::optional<bool> to_logical(std::string_view field) {
  const std::string word = lower_case(field);
  if (word == "t" || word == "true" || word == "1") return true;
  if (word == "f" || word == "false" || word == "0") return false;
  return {};
}

std::string line_place(const std::string& file, std::size_t line) {
  return file + ":" + std::to_string(line);
}

}  // namespace aetos::io
