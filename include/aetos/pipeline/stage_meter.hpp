#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "aetos/parallel/communicator.hpp"

namespace aetos::pipeline {

/// Wall time, processor time and peak memory of one stage over all ranks.
class StageMeter {
 public:
  explicit StageMeter(std::string stage);
  /// Adds wall_s, cpu_s (sum over ranks), ranks, peak_memory_MiB (largest rank) and imbalance (largest over
  /// mean processor time) to `summary`. Collective; the same on every rank.
  void finish(const Communicator& comm, nlohmann::json& summary) const;

 private:
  std::string stage_;
  std::chrono::steady_clock::time_point wall_;
  double cpu_s_;
};

/// Memory in MiB that the ranks on this machine may have together: all there is, or the limit that a batch
/// system or container sets (Linux control groups, both versions).
double memory_here_MiB();

}  // namespace aetos::pipeline
