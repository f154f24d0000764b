#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace aetos::pipeline {

struct VerifyResult {
  std::size_t files = 0;
  std::vector<std::string> problems;  ///< "volume.h5: content differs from what the run recorded"
};

/// Re-hashes the files of a run against run.json. Throws InputError if the folder holds no run.
VerifyResult verify(const std::filesystem::path& folder);

/// Records the hash of a report that was written anew, if the folder has a record.
void record_report(const std::filesystem::path& folder);

}  // namespace aetos::pipeline
