#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "aetos/pipeline/plan.hpp"

namespace aetos::pipeline {

/// The plan of a run and its cost: per stage sizes, core-hours, memory per rank, bytes written; free space;
/// warnings. Computes and writes nothing. Throws InputError where a stage cannot run, or where those of the
/// ranks that are on this machine would not fit its memory.
nlohmann::json check(const Plan& plan, int ranks, int ranks_here);
/// The same for people.
std::string format_check(const nlohmann::json& plan);

}  // namespace aetos::pipeline
