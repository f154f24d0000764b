#include "aetos/simulation/error_budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/simulation/memory.hpp"
#include "aetos/simulation/rates.hpp"
#include "aetos/simulation/work_items.hpp"

namespace aetos::simulation {
namespace {

constexpr std::size_t kFewestGroups = 2, kMostGroups = 16, kGroupsAskedFor = 8, kTiltsLookedAt = 4;
constexpr double kShareOfRun = 0.03, kMemory_bytes = 1024.0 * 1024 * 1024;
constexpr double kWiderWindow = 2;

/// The settings that are compared with the simulation's own.
struct Settings {
  Setting own, finer, thinner;           ///< `finer` in sampling
  std::optional<Setting> window, wider;  ///< where the window's error is not known yet

  std::vector<Setting> all() const {
    std::vector<Setting> list{own, finer, thinner};
    for (const auto& s : {window, wider})
      if (s) list.push_back(*s);
    return list;
  }
};

Settings settings_of(const PlannedTrials& trials, const Plan& plan, const Window& window) {
  Settings s{trials.own(), trials.own(), trials.own(), {}, {}};
  s.finer.sampling_A = finer_sampling_A(s.own.sampling_A);
  s.thinner.slice_A /= 2;
  if (window.error_estimate) return s;
  s.window = s.wider = s.own;
  s.window->window_A = window_width_A(plan, window);
  s.wider->window_A = kWiderWindow * s.window->window_A;
  return s;
}

/// Wave-slices of the simulation times what one takes.
double work_of_run(const Request& request, const Plan& plan, const Window& window) {
  const std::size_t tilts = request.tilts.size(), looked_at = std::min(tilts, kTiltsLookedAt);
  double cost = 0;
  for (std::size_t i = 0; i < looked_at; ++i)
    for (const auto& work : tile_work(request, plan, window, i * tilts / looked_at)) cost += work.cost;
  return cost / static_cast<double>(looked_at) * static_cast<double>(tilts * plan.configurations()) *
         window_operations(window);
}

/// What is missing in a difference of two settings whose errors go with the square of a size.
double rest_of_the_way(double size, double compared_with, double converged) {
  return (size * size - converged * converged) / (size * size - compared_with * compared_with);
}

DetectorErrors window_errors(Trials& trials, const Settings& settings, const Window& window,
                             std::size_t detectors) {
  if (!settings.window) return DetectorErrors(detectors, *window.error_estimate);
  const Window wider = trials.window_of(*settings.wider);
  const auto errors = trials.errors(trials.signals(*settings.window), trials.signals(*settings.wider));
  return scaled(errors, reference_factor(trials.width_A(*settings.window), trials.width_A(*settings.wider),
                                         wider.whole));
}

DetectorErrors root_of_squares(const std::vector<const DetectorErrors*>& kinds) {
  DetectorErrors total(kinds.front()->size());
  for (std::size_t d = 0; d < total.size(); ++d) {
    for (const auto* kind : kinds) total[d] += (*kind)[d] * (*kind)[d];
    total[d] = std::sqrt(total[d]);
  }
  return total;
}

double largest(const DetectorErrors& errors) {
  return errors.empty() ? 0 : *std::max_element(errors.begin(), errors.end());
}

}  // namespace

double finer_sampling_A(double sampling_A) {
  return std::min(std::max(sampling_A / 2, converged_sampling_A(sampling_A)), 0.75 * sampling_A);
}

DetectorErrors sampling_errors(Trials& trials, const std::vector<float>& own) {
  Setting finer = trials.own();
  finer.sampling_A = finer_sampling_A(finer.sampling_A);
  const double h = trials.achieved_sampling_A(trials.own()), finer_h = trials.achieved_sampling_A(finer);
  return scaled(trials.errors(own, trials.signals(finer)),
                rest_of_the_way(h, finer_h, std::min(converged_sampling_A(h), finer_h)));
}

PlannedBudget plan_error_budget(const Request& request, const Plan& plan, const Window& window) {
  PlannedBudget planned;
  const auto& wanted = request.multislice.error_budget;
  if (wanted && !*wanted) {
    planned.why_not = "multislice.error_budget is false";
    return planned;
  }
  const PlannedTrials one(request, plan, 1);
  if (one.samples().groups.empty()) {
    planned.why_not = "no probe feels an atom";
    return planned;
  }
  const Settings settings = settings_of(one, plan, window);
  double work = one.work(settings.own);  // once more for a second configuration
  for (const Setting& s : settings.all()) {
    work += one.work(s);
    planned.bytes = std::max(planned.bytes, one.memory_bytes(s));
  }
  const double affordable = std::floor(kShareOfRun * work_of_run(request, plan, window) / work);
  planned.groups = static_cast<std::size_t>(std::min(affordable, static_cast<double>(kMostGroups)));
  if (wanted)
    planned.groups = std::max(planned.groups, kGroupsAskedFor);
  else if (planned.groups < kFewestGroups)
    planned.why_not =
        "it would take more than 3 % of this simulation; multislice.error_budget: true asks for it";
  else if (planned.bytes > std::max(kMemory_bytes, memory_per_rank_bytes(request, plan, window)))
    planned.why_not = fmt::format(
        "it would take {:.0f} MiB per rank, more than the simulation; multislice.error_budget: true asks for "
        "it",
        planned.bytes / 1048576);
  if (!planned.why_not.empty()) return {0, 0, 0, planned.why_not};
  planned.operations = static_cast<double>(planned.groups) * work;
  return planned;
}

std::optional<ErrorBudget> measure_error_budget(const Communicator& comm, const Stop& stop,
                                                const Request& request, const Plan& plan,
                                                const Window& window, std::string& why_not) {
  PlannedBudget planned;
  comm.agree([&] { planned = plan_error_budget(request, plan, window); });
  why_not = planned.why_not;
  if (planned.groups == 0) return std::nullopt;
  Trials trials(comm, stop, request, plan, planned.groups);
  const Settings settings = settings_of(trials, plan, window);
  ErrorBudget budget;
  for (const auto& detector : plan.imaging) budget.detectors.push_back(detector.name);
  budget.probes = trials.samples().probe_count();

  const auto own = trials.signals(settings.own);
  budget.converged_A = converged_sampling_A(settings.own.sampling_A);
  budget.sampling = sampling_errors(trials, own);
  budget.slice = trials.errors(own, trials.signals(settings.thinner));
  budget.phonons.assign(budget.detectors.size(), 0);
  if (plan.thermal.largest_rms_A() > 0)
    budget.phonons = trials.phonon_errors({own, trials.signals(settings.own, 1)}, plan.configurations());
  budget.window = window_errors(trials, settings, window, budget.detectors.size());
  budget.total = root_of_squares({&budget.window, &budget.slice, &budget.sampling, &budget.phonons});
  budget.wave_slices = trials.wave_slices();
  return budget;
}

std::string describe(const ErrorBudget& budget) {
  return fmt::format(
      "error budget on {} sample probes: window {:.2g} %, slices {:.2g} %, sampling {:.2g} % (from {:.4g} "
      "Å), "
      "phonons {:.2g} %; together {:.2g} %",
      budget.probes, 100 * largest(budget.window), 100 * largest(budget.slice),
      100 * largest(budget.sampling), budget.converged_A, 100 * largest(budget.phonons),
      100 * largest(budget.total));
}

nlohmann::json to_json(const ErrorBudget& budget) {
  const std::pair<const char*, const DetectorErrors&> kinds[] = {{"window", budget.window},
                                                                 {"slice", budget.slice},
                                                                 {"sampling", budget.sampling},
                                                                 {"phonons", budget.phonons},
                                                                 {"total", budget.total}};
  nlohmann::json j;
  for (const auto& [kind, errors] : kinds) {
    j[kind] = largest(errors);
    for (std::size_t d = 0; d < errors.size(); ++d) j["detectors"][budget.detectors[d]][kind] = errors[d];
  }
  j["converged_sampling_A"] = budget.converged_A;
  j["sample_probes"] = budget.probes;
  return j;
}

}  // namespace aetos::simulation
