#include "state.hpp"

#include <algorithm>
#include <cstddef>

#include "aetos/core/median.hpp"

namespace aetos::tracing {

double median_of(std::vector<double> values) {
  return values.empty() ? 0 : upper_median(values);
}

double typical_intensity(const State& state) {
  const auto& at = state.model.layout;
  const auto first = state.parameters.begin() + static_cast<std::ptrdiff_t>(at.intensity(0));
  return median_of({first, first + static_cast<std::ptrdiff_t>(at.atoms)});
}

State starting_state(const std::vector<Vec3>& position, const std::vector<double>& intensity,
                     const std::vector<std::size_t>& species_of, std::size_t species, double sigma_A) {
  State state;
  state.model = {{position.size(), species}, species_of, nullptr};
  const auto& at = state.model.layout;
  state.parameters.resize(at.size());
  const double typical = median_of(intensity);
  for (std::size_t a = 0; a < position.size(); ++a) {
    for (std::size_t i = 0; i < 3; ++i)
      state.parameters[at.position(a) + i] = position[a](static_cast<Eigen::Index>(i));
    state.parameters[at.intensity(a)] = typical > 0 ? std::clamp(intensity[a] / typical, 0.2, 5.0) : 1;
  }
  for (std::size_t k = 0; k < species; ++k) state.parameters[at.width(k)] = sigma_A * sigma_A;
  return state;
}

State subset(const State& state, const std::vector<bool>& keep) {
  const auto& from = state.model.layout;
  State out;
  for (std::size_t a = 0; a < from.atoms; ++a)
    if (keep[a]) out.model.species_of.push_back(state.model.species_of[a]);
  out.model.layout = {out.model.species_of.size(), from.species};
  const auto& to = out.model.layout;
  out.parameters.resize(to.size());
  for (std::size_t a = 0, b = 0; a < from.atoms; ++a) {
    if (!keep[a]) continue;
    for (std::size_t i = 0; i < 3; ++i)
      out.parameters[to.position(b) + i] = state.parameters[from.position(a) + i];
    out.parameters[to.intensity(b++)] = state.parameters[from.intensity(a)];
  }
  for (std::size_t k = 0; k < from.species; ++k)
    out.parameters[to.width(k)] = state.parameters[from.width(k)];
  out.parameters[to.growth()] = state.parameters[from.growth()];
  out.parameters[to.fading()] = state.parameters[from.fading()];
  out.model.shape = state.model.shape;
  return out;
}

void add_atoms(State& state, const std::vector<Vec3>& places, double intensity) {
  const auto from = state.model.layout;
  State out;
  out.model = state.model;
  out.model.layout.atoms += places.size();
  out.model.species_of.resize(out.model.layout.atoms, 0);
  const auto& to = out.model.layout;
  out.parameters.resize(to.size());
  std::copy_n(state.parameters.begin(), 3 * from.atoms, out.parameters.begin());
  for (std::size_t a = 0; a < from.atoms; ++a)
    out.parameters[to.intensity(a)] = state.parameters[from.intensity(a)];
  for (std::size_t b = 0; b < places.size(); ++b) {
    for (std::size_t i = 0; i < 3; ++i)
      out.parameters[to.position(from.atoms + b) + i] = places[b](static_cast<Eigen::Index>(i));
    out.parameters[to.intensity(from.atoms + b)] = intensity;
  }
  std::copy_n(state.parameters.begin() + static_cast<std::ptrdiff_t>(from.width(0)), from.species + 2,
              out.parameters.begin() + static_cast<std::ptrdiff_t>(to.width(0)));
  state = std::move(out);
}

std::vector<Vec3> positions_of(const State& state) {
  std::vector<Vec3> positions;
  for (std::size_t a = 0; a < state.model.layout.atoms; ++a) {
    const double* r = state.parameters.data() + state.model.layout.position(a);
    positions.emplace_back(r[0], r[1], r[2]);
  }
  return positions;
}

double farthest_from_origin(const State& state) {
  double farthest = 0;
  for (const Vec3& r : positions_of(state)) farthest = std::max(farthest, r.norm());
  return farthest;
}

}  // namespace aetos::tracing
