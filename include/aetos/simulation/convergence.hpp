#pragma once

#include <nlohmann/json.hpp>

#include "aetos/parallel/stop.hpp"
#include "aetos/simulation/simulate.hpp"

namespace aetos::simulation {

/// What each setting of a simulation costs in accuracy, before anybody pays for it. A dozen groups of sample
/// probes, drawn from the config alone, are simulated with other samplings, slices, windows and numbers of
/// configurations, one at a time from the config's own, and compared with a finer one.
///
/// {detectors, sample_probes, predicted_core_s, own: {sampling_A, slice_A, window_A, frozen_phonons},
/// sampling, slice, window, phonons: {reference, settings: [{value, own, relative_work, error: {NAME: e}}]},
/// complete, notes}. A setting that needs more than `memory_limit_bytes` on a rank is left out, with a note;
/// a stop ends the study after the setting at hand, and `complete` is false. The same numbers on any number
/// of ranks. Collective.
nlohmann::json convergence_study(const Communicator& comm, const Stop& stop, const Request& request,
                                 double memory_limit_bytes);

}  // namespace aetos::simulation
