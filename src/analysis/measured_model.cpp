#include "measured_model.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

namespace aetos::analysis {
namespace {

constexpr std::uint8_t kOxygen = 8;

void split_oxygen(const Structure& atoms, MeasuredModel& model) {
  bool others = false;
  for (const auto z : atoms.atomic_number) others = others || z != kOxygen;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    if (others && atoms.atomic_number[i] == kOxygen) {
      model.oxygen.push_back(atoms.position[i]);
      continue;
    }
    model.framework.position.push_back(atoms.position[i]);
    model.framework.atomic_number.push_back(atoms.atomic_number[i]);
    model.row.push_back(i);
  }
}

}  // namespace

MeasuredModel measure_model(const AnalyzeRequest& request) {
  MeasuredModel model{.framework = {},
                      .row = {},
                      .oxygen = {},
                      .triangulation = Triangulation(std::span<const Vec3>{}),
                      .alpha = {},
                      .distribution = {},
                      .minimum = {},
                      .neighbours = {},
                      .surface = {},
                      .order = {},
                      .crystalline = {},
                      .phases = {},
                      .whole = &request.atoms,
                      .layer_A = request.layer_A,
                      .inputs = request.inputs};
  split_oxygen(request.atoms, model);
  const auto& points = model.framework.position;
  model.triangulation = Triangulation(points);
  model.alpha = alpha_shape(model.triangulation, request.alpha_A);
  model.distribution =
      radial_distribution(model.framework, model.alpha, kDistributionStep_A, kDistributionReach_A);
  model.minimum = first_minimum(model.distribution);
  const double found = model.minimum ? model.minimum->cutoff_A : 0;
  model.neighbours = neighbourhood(points, request.cutoff_A.value_or(found));
  for (const double filled : filled_solid_angle(points, model.alpha))
    model.surface.push_back(filled < 1 - 1e-6);
  model.order = bond_order(points, model.neighbours);
  model.crystalline = request.isolated == config::Isolated::published
                          ? crystalline_without_isolated(points, model.order)
                          : crystalline(model.order);
  model.phases = phases(model.neighbours, model.crystalline);
  return model;
}

nlohmann::json number_or_null(std::optional<double> value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}

std::string cell(std::optional<double> value, int decimals) {
  return value && std::isfinite(*value) ? fmt::format("{:.{}f}", *value, decimals) : std::string{};
}

std::optional<double> mean_of(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::optional<double> deviation_of(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const double mean = *mean_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

nlohmann::json level_of(const std::vector<double>& values, const std::string& count,
                        const std::string& unit) {
  return {{count, values.size()},
          {"mean" + unit, number_or_null(mean_of(values))},
          {"standard_deviation" + unit, number_or_null(deviation_of(values))}};
}

}  // namespace aetos::analysis
