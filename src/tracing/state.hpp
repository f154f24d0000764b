#pragma once

#include <vector>

#include "aetos/core/geometry.hpp"
#include "aetos/tracing/projection_model.hpp"

/// The atoms as refinement finds them, round by round.
namespace aetos::tracing {

/// A model with its parameters.
struct State {
  AtomModel model;
  std::vector<double> parameters;
};

/// Of peaks: intensities relative to their median, one width for all species, no shape yet.
State starting_state(const std::vector<Vec3>& position, const std::vector<double>& intensity,
                     const std::vector<std::size_t>& species_of, std::size_t species, double sigma_A);

/// The state without the atoms for which `keep` is false.
State subset(const State& state, const std::vector<bool>& keep);

/// Adds atoms, of the lightest species until intensities are told apart again.
void add_atoms(State& state, const std::vector<Vec3>& places, double intensity);

std::vector<Vec3> positions_of(const State& state);
double farthest_from_origin(const State& state);
double typical_intensity(const State& state);

/// The upper median; 0 of nothing.
double median_of(std::vector<double> values);

}  // namespace aetos::tracing
