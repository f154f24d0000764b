#include "aetos/core/memory_limit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace aetos {
namespace {

namespace fs = std::filesystem;

constexpr double kNone = std::numeric_limits<double>::infinity();

/// "max", which stands for none, is no number.
double limit_in(const fs::path& file) {
  std::ifstream stream(file);
  double limit = kNone;
  return stream >> limit ? limit : kNone;
}

/// Of a group and of those that it is in. In a container the path may be that outside of it; then only the
/// root is there.
double smallest(const fs::path& root, const std::string& group, const char* name) {
  double least = limit_in(root / name);
  fs::path folder = root;
  for (const auto& part : fs::path(group).relative_path()) {
    folder /= part;
    least = std::min(least, limit_in(folder / name));
  }
  return least;
}

}  // namespace

double memory_limit_bytes(const fs::path& membership, const fs::path& root) {
  std::ifstream stream(membership);
  double least = kNone;
  // HIERARCHY:CONTROLLERS:PATH
  for (std::string line; std::getline(stream, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1)),
                      group = line.substr(second + 1);
    if (controllers == ",,") least = std::min(least, smallest(root, group, "memory.max"));
    if (controllers.find(",memory,") != std::string::npos)
      least = std::min(least, smallest(root / "memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

}  // namespace aetos
