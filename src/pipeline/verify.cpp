#include "aetos/pipeline/verify.hpp"

#include "aetos/core/error.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/pipeline/run_folder.hpp"

namespace aetos::pipeline {

VerifyResult verify(const std::filesystem::path& folder) {
  const auto record = RunRecord::read(folder);
  if (!record) throw InputError(folder.string(), "no run.json", "the folder of a run");
  VerifyResult result;
  for (const auto& [file, digest] : record->checksums) {
    ++result.files;
    const auto path = folder / file;
    if (!std::filesystem::exists(path))
      result.problems.push_back(file + ": missing");
    else if (io::sha256_hex_of_file(path) != digest)
      result.problems.push_back(file + ": content differs from what the run recorded");
  }
  return result;
}

void record_report(const std::filesystem::path& folder) {
  auto record = RunRecord::read(folder);
  if (!record) return;
  record->checksums[files::report] = io::sha256_hex_of_file(folder / files::report);
  record->write(folder);
}

}  // namespace aetos::pipeline
