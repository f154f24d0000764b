#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "aetos/parallel/run_context.hpp"

namespace aetos::io {

/// Bytes free on the disk of a path, which need not exist yet; nothing where the system does not tell.
std::optional<double> free_bytes(const std::filesystem::path& path);

/// What an HDF5 file of so many bytes of data takes at most, with its own tables.
constexpr std::uint64_t file_bytes(std::uint64_t data) {
  return data + data / 64 + (std::uint64_t{1} << 17);
}

/// What a stage writes at least.
struct SpaceNeeded {
  struct Result {
    std::filesystem::path file;
    double bytes = 0;
  };
  std::vector<Result> results;  ///< each lies beside its final name until it is complete
  double work_bytes = 0;        ///< journals and checkpoints in `RunContext::work` until then
};

/// More bytes than are free, on the disk of one of the results or of the work.
struct Shortage {
  std::filesystem::path file;
  double needed = 0, free = 0;
};

/// What is needed against what is free, disk by disk. What an earlier start left under the same temporary
/// names and in the folder of the work counts as there already.
std::optional<Shortage> shortage_of_space(const RunContext& context, const SpaceNeeded& needed);

/// Before a stage begins: throws ResourceError where there is too little.
void require_space(const RunContext& context, const SpaceNeeded& needed);

}  // namespace aetos::io
