#include "aetos/io/disk_space.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"

namespace aetos::io {
namespace {

namespace fs = std::filesystem;

/// The path, or the nearest folder above it that exists.
fs::path existing(const fs::path& path) {
  fs::path there = fs::absolute(path);
  std::error_code error;
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  return there;
}

dev_t disk_of(const fs::path& path) {
  struct stat found {};
  return ::stat(existing(path).c_str(), &found) == 0 ? found.st_dev : 0;
}

/// Blocks, since what a killed run reserved lies beyond its file's end.
double bytes_on_disk(const fs::path& file) {
  struct stat found {};
  return ::stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode)
             ? 512.0 * static_cast<double>(found.st_blocks)
             : 0;
}

}  // namespace

std::optional<double> free_bytes(const fs::path& path) {
  std::error_code error;
  const fs::space_info space = fs::space(existing(path), error);
  if (error) return std::nullopt;
  return static_cast<double>(space.available);
}

std::optional<Shortage> shortage_of_space(const RunContext& context, const SpaceNeeded& needed) {
  std::map<dev_t, Shortage> of_disk;
  // `place` is where the bytes go: behind a link, another disk than `file`, by which it is called.
  const auto disk_at = [&](const fs::path& place, const fs::path& file) -> Shortage& {
    const auto [disk, is_new] = of_disk.try_emplace(disk_of(place));
    if (is_new) disk->second = {file, 0, free_bytes(place).value_or(std::numeric_limits<double>::infinity())};
    return disk->second;
  };
  std::set<fs::path> apart;
  for (const auto& result : needed.results) {
    const fs::path partial = partial_name(result.file);
    disk_at(partial, result.file).needed +=
        std::max(0.0, static_cast<double>(file_bytes(static_cast<std::uint64_t>(result.bytes))) -
                          bytes_on_disk(partial));
    apart.insert({partial, result.file});
  }
  double there = 0;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(context.work, error);
       entry != fs::recursive_directory_iterator(); entry.increment(error))
    if (!apart.contains(entry->path())) there += bytes_on_disk(entry->path());
  disk_at(context.work, context.work).needed += std::max(0.0, needed.work_bytes - there);
  for (const auto& [number, disk] : of_disk)
    if (disk.needed > disk.free) return disk;
  return std::nullopt;
}

void require_space(const RunContext& context, const SpaceNeeded& needed) {
  if (const auto shortage = shortage_of_space(context, needed))
    throw ResourceError(
        fmt::format("not enough space on the disk for '{}' and what is kept until it is complete: {:.1f} MiB "
                    "are needed, {:.1f} are free",
                    shortage->file.string(), shortage->needed / 1048576, shortage->free / 1048576));
}

}  // namespace aetos::io
