#include "aetos/pipeline/stage_meter.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include "aetos/core/memory_limit.hpp"
#include "aetos/core/program_memory.hpp"

namespace aetos::pipeline {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Lets the kernel's high-water mark start again, so that each stage has its own peak (Linux). What the stage
/// before freed goes first.
void reset_peak_memory() {
  return_freed_memory();
  std::ofstream("/proc/self/clear_refs") << "5";
}

double peak_memory_MiB() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double rounded(double value, double unit) {
  return std::round(value / unit) * unit;
}

}  // namespace

StageMeter::StageMeter(std::string stage)
    : stage_(std::move(stage)), wall_(std::chrono::steady_clock::now()), cpu_s_(cpu_seconds()) {
  reset_peak_memory();
}

void StageMeter::finish(const Communicator& comm, nlohmann::json& summary) const {
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_).count();
  const double mine = cpu_seconds() - cpu_s_;
  const double peak = comm.max(peak_memory_MiB());
  double total = 0;
  for (double cpu : comm.all_gather(std::span<const double>(&mine, 1))) total += cpu;
  const double largest = comm.max(mine);
  summary["wall_s"] = rounded(comm.max(wall), 0.001);
  summary["cpu_s"] = rounded(total, 0.001);
  summary["ranks"] = comm.size();
  summary["peak_memory_MiB"] = rounded(peak, 0.1);
  summary["imbalance"] = total > 0 ? rounded(largest * comm.size() / total, 0.001) : 1.0;
}

double memory_here_MiB() {
  const double physical =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return std::min(physical, memory_limit_bytes("/proc/self/cgroup", "/sys/fs/cgroup")) / (1024.0 * 1024.0);
}

}  // namespace aetos::pipeline
