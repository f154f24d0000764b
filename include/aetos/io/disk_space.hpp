#pragma once

#include <filesystem>
#include <optional>

#include "aetos/parallel/run_context.hpp"

namespace aetos::io {

/// Bytes free on the disk of a path, which need not exist yet; nothing where the system does not tell.
std::optional<double> free_bytes(const std::filesystem::path& path);

/// Bytes still to be written of those that a stage writes, its result `file` and what it keeps in
/// `context.work`: all but what an earlier start left there.
double bytes_to_write(const RunContext& context, const std::filesystem::path& file, double bytes);

/// Before a stage begins: throws ResourceError where these are more than are free.
void require_space(const RunContext& context, const std::filesystem::path& file, double bytes);

}  // namespace aetos::io
