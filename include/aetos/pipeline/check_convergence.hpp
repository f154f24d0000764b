#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "aetos/parallel/stop.hpp"
#include "aetos/pipeline/plan.hpp"

namespace aetos::pipeline {

/// The convergence study of a run's simulation, within the memory of this machine. Collective; writes
/// nothing. Throws InputError where the config simulates nothing.
nlohmann::json check_convergence(const Communicator& comm, const Stop& stop, const Plan& plan);
/// The same as tables for people: one row a setting, one column a detector.
std::string format_convergence(const nlohmann::json& study);

}  // namespace aetos::pipeline
