#pragma once

#include <nlohmann/json.hpp>

#include "aetos/parallel/run_context.hpp"
#include "aetos/pipeline/plan.hpp"

namespace aetos::pipeline {

/// Compares the traced model with the reference and writes comparison.json and displacements.csv. The models
/// are small, so one rank computes. Returns the stage's object of summary.json on every rank. Collective.
nlohmann::json compare_stage(const RunContext& context, const Plan& plan);

}  // namespace aetos::pipeline
