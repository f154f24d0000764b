#pragma once

#include <filesystem>

namespace aetos {

/// The smallest limit of memory, in bytes, among the control groups that a process is in and those above
/// them; infinity where none is set. `membership` is the process's /proc/PID/cgroup, `root` where control
/// groups are mounted: version 2 (memory.max) or, in its folder `memory`, version 1 (memory.limit_in_bytes).
/// (Linux, Documentation/admin-guide/cgroup-v1/memory.rst, cgroup-v2.rst)
double memory_limit_bytes(const std::filesystem::path& membership, const std::filesystem::path& root);

}  // namespace aetos
