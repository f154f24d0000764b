#pragma once

#include <vector>

#include "aetos/config/master.hpp"
#include "aetos/parallel/run_context.hpp"
#include "aetos/tracing/trace.hpp"

namespace aetos::pipeline {

/// The detector of the images that atoms are traced in: the first annular one; null without.
const multislice::DetectorOptions* first_annular(const std::vector<multislice::DetectorOptions>& detectors);

/// Simulates noise-free images of a model with the config's microscope, first annular detector and
/// multislice, one frozen phonon configuration a tilt, into the stage's work folder. On resume finished work
/// is taken from its journal. Throws InputError without such a detector. Collective.
tracing::SimulatedModel simulate_model(const RunContext& context, const config::Master& config,
                                       const tracing::ImagesOfModel& images);

}  // namespace aetos::pipeline
