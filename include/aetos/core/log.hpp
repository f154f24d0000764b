#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

/// What a run says. One rank speaks; what the others would say is dropped. Warnings are kept for the summary.
namespace aetos::log {

enum class Level { debug, info, warning, error, off };

/// Parses "debug", "info", "warning", "error", "off"; throws InputError naming `place` otherwise.
Level parse_level(std::string_view word, const std::string& place);

/// Sets this process's voice: `speaks` on one rank only.
void configure(Level level, bool speaks);
/// Also writes everything to a file, appended, with times. Only on the rank that speaks.
void open_file(const std::string& path);
void close_file();

void write(Level level, std::string_view text);
/// Every warning so far, in order, each once.
const std::vector<std::string>& warnings();

template <class... A>
void debug(fmt::format_string<A...> format, A&&... args) {
  write(Level::debug, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void info(fmt::format_string<A...> format, A&&... args) {
  write(Level::info, fmt::format(format, std::forward<A>(args)...));
}
template <class... A>
void warn(fmt::format_string<A...> format, A&&... args) {
  write(Level::warning, fmt::format(format, std::forward<A>(args)...));
}

}  // namespace aetos::log
