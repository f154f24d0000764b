#pragma once

#include <optional>

#include "aetos/config/master.hpp"
#include "aetos/parallel/communicator.hpp"
#include "aetos/parallel/stop.hpp"
#include "aetos/pipeline/run_folder.hpp"

namespace aetos::pipeline {

/// Runs the stages of a config in order on all ranks, and writes the files of a run. Collective. Throws
/// InputError before anything is written, Interrupted once everything so far is safe on disk.
void run(const Communicator& comm, const Stop& stop, config::Master config, IfPresent if_present);

}  // namespace aetos::pipeline
