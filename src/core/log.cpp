#include "aetos/core/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "aetos/core/error.hpp"

namespace aetos::log {
namespace {

struct Voice {
  bool speaks = true;
  Level level = Level::info;
  std::shared_ptr<spdlog::logger> console, file;
  std::vector<std::string> warnings;
};

Voice& voice() {
  static Voice v;
  return v;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

Level parse_level(std::string_view word, const std::string& place) {
  if (word == "debug") return Level::debug;
  if (word == "info") return Level::info;
  if (word == "warning") return Level::warning;
  if (word == "error") return Level::error;
  if (word == "off") return Level::off;
  throw InputError(place, "'" + std::string(word) + "'", "one of debug, info, warning, error, off");
}

void configure(Level level, bool speaks) {
  auto& v = voice();
  v.level = level;
  v.speaks = speaks;
  // Standard output belongs to results (`info --json`); the run talks on standard error.
  v.console = std::make_shared<spdlog::logger>("aetos", std::make_shared<spdlog::sinks::stderr_sink_st>());
  v.console->set_level(to_spdlog(level));
  v.console->set_pattern("%v");
}

void open_file(const std::string& path) {
  auto& v = voice();
  if (!v.speaks) return;
  v.file = std::make_shared<spdlog::logger>("file", std::make_shared<spdlog::sinks::basic_file_sink_st>(path));
  v.file->set_level(spdlog::level::debug);
  v.file->set_pattern("%Y-%m-%d %H:%M:%S  %v");
  v.file->flush_on(spdlog::level::info);
}

void close_file() {
  auto& v = voice();
  if (v.file) v.file->flush();
  v.file.reset();
}

void write(Level level, std::string_view text) {
  auto& v = voice();
  if (!v.console) configure(v.level, v.speaks);
  std::string line = level == Level::warning ? "warning: " + std::string(text) : std::string(text);
  if (level == Level::warning) {
    if (std::find(v.warnings.begin(), v.warnings.end(), text) != v.warnings.end()) return;
    v.warnings.emplace_back(text);
  }
  if (!v.speaks) return;
  v.console->log(to_spdlog(level), line);
  if (v.file) v.file->log(to_spdlog(level), line);
}

const std::vector<std::string>& warnings() { return voice().warnings; }

}  // namespace aetos::log
