#include "aetos/io/disk_space.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"

namespace aetos::io {

namespace fs = std::filesystem;

std::optional<double> free_bytes(const fs::path& path) {
  fs::path there = fs::absolute(path);
  std::error_code error;
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  const fs::space_info space = fs::space(there, error);
  if (error) return std::nullopt;
  return static_cast<double>(space.available);
}

double bytes_to_write(const RunContext& context, const fs::path& file, double bytes) {
  double there = 0;
  // Blocks, since what a killed run reserved lies beyond its file's end.
  const auto count = [&](const fs::path& path) {
    struct stat found;
    if (::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode))
      there += 512 * static_cast<double>(found.st_blocks);
  };
  count(partial_name(file));
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(context.work, error)) count(entry.path());
  return std::max(0.0, bytes - there);
}

void require_space(const RunContext& context, const fs::path& file, double bytes) {
  const double needed = bytes_to_write(context, file, bytes);
  const auto free = free_bytes(context.work);
  if (free && needed > *free)
    throw ResourceError(
        fmt::format("not enough space on the disk for '{}' and what is kept until it is complete: {:.1f} MiB "
                    "are needed, {:.1f} are free",
                    file.string(), needed / 1048576, *free / 1048576));
}

}  // namespace aetos::io
