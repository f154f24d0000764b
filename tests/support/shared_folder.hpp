#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "aetos/parallel/communicator.hpp"
#include "temporary_folder.hpp"

namespace aetos::test {

/// A fresh folder that all ranks of `comm` see, removed by its first.
class SharedFolder {
 public:
  explicit SharedFolder(const Communicator& comm) : comm_(comm) {
    if (comm.is_root()) mine_.emplace();
    path_ = comm.broadcast_string(mine_ ? mine_->path().string() : std::string());
  }
  ~SharedFolder() { comm_.barrier(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  const Communicator& comm_;
  std::optional<TemporaryFolder> mine_;
  std::filesystem::path path_;
};

}  // namespace aetos::test
