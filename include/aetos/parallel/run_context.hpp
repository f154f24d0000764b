#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/stop.hpp"

namespace aetos {

/// Name of the file in a run's folder that holds its whole config.
inline constexpr const char* kResolvedConfig = "config.resolved.yaml";

/// What a driver needs to know about the run that it is part of, beside its own options.
struct RunContext {
  const Communicator& comm;
  const Stop& stop;
  std::filesystem::path output;  ///< the run's folder; exists
  std::filesystem::path work;    ///< journals and partial files of this stage, inside `output`; exists
  std::string fingerprint;       ///< hex digest of every key and input that changes this stage's results
  std::string config_text;       ///< resolved config, for the provenance of each file
  std::uint64_t seed = 0;
  double checkpoint_interval_s = 60;  ///< work done is on disk within this time
  std::string inputs = {};  ///< files from elsewhere that this stage reads: "SHA-256  path" in lines
};

}  // namespace aetos
