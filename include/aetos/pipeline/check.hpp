#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "aetos/pipeline/plan.hpp"

namespace aetos::pipeline {

/// The plan of a run and its cost: per stage sizes, core-hours, memory per rank, bytes written; free space;
/// warnings. Computes and writes nothing. Throws InputError where a stage cannot run, or would not fit this
/// machine.
nlohmann::json check(const Plan& plan, int ranks);
/// The same for people.
std::string format_check(const nlohmann::json& plan);

}  // namespace aetos::pipeline
