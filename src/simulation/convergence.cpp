#include "aetos/simulation/convergence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/processor_time.hpp"
#include "aetos/simulation/trials.hpp"

namespace aetos::simulation {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kGroups = 12, kMostConfigurations = 8, kFewestConfigurations = 4;
constexpr double kReferenceWindow_A = 38.4, kWiderThanOwn = 3;

/// One quantity that is varied: its values from coarse to fine, the last one the reference.
struct Sweep {
  const char* name;
  double Setting::*quantity;
  std::vector<double> values;
};

std::vector<Sweep> sweeps_of(const Setting& own) {
  const double h = own.sampling_A, dz = own.slice_A, w = own.window_A;
  std::vector<Sweep> sweeps{
      {"sampling", &Setting::sampling_A, {1.25 * h, h, 0.8 * h, h / 1.5, h / 2, converged_sampling_A(h)}},
      {"slice", &Setting::slice_A, {2 * dz, dz, dz / 2, dz / 4}},
      {"window",
       &Setting::window_A,
       {0.75 * w, w, 1.2 * w, 1.5 * w, 2 * w, std::max(kReferenceWindow_A, kWiderThanOwn * w)}}};
  for (Sweep& sweep : sweeps) {
    const bool downwards = sweep.values[0] > sweep.values[1];
    const double reference = sweep.values.back();
    std::erase_if(sweep.values, [&](double v) {
      return v != reference && (downwards ? v < reference * 1.01 : v > reference / 1.01);
    });
  }
  return sweeps;
}

class Study {
 public:
  Study(const Communicator& comm, const Stop& stop, const Request& request, const Plan& plan,
        double memory_limit)
      : comm_(comm),
        stop_(stop),
        request_(request),
        plan_(plan),
        memory_limit_(memory_limit),
        trials_(comm, stop, request, plan, kGroups) {}

  Json run();

 private:
  bool fits(const Setting& setting, const std::string& words);
  void keep_what_fits(Sweep& sweep);
  double predicted_core_s(double own_s) const;
  std::size_t simulated_configurations() const;
  Json errors_json(const DetectorErrors& errors) const;
  double rest_of_window(const Setting& setting, const Sweep& sweep) const;
  Json study(const Sweep& sweep);
  Json study_phonons();
  bool simulate(const Setting& setting, std::vector<float>& signals, std::size_t configuration = 0);

  const Communicator& comm_;
  const Stop& stop_;
  const Request& request_;
  const Plan& plan_;
  double memory_limit_;
  Trials trials_;
  std::vector<Sweep> sweeps_;
  std::vector<float> own_signals_;
  Json notes_ = Json::array();
  bool complete_ = true;
};

Setting with(Setting setting, const Sweep& sweep, double value) {
  setting.*sweep.quantity = value;
  return setting;
}

/// A coarser sampling may not carry the aperture or a detector; a finer one may not fit the memory.
bool Study::fits(const Setting& setting, const std::string& words) {
  try {
    const double bytes = trials_.memory_bytes(setting);
    if (bytes <= memory_limit_) return true;
    notes_.push_back(fmt::format("{} needs {:.0f} MiB per rank, more than the {:.0f} MiB that there are",
                                 words, bytes / 1048576, memory_limit_ / 1048576));
  } catch (const InputError&) {
    notes_.push_back(words + " does not carry the aperture and the detectors");
  }
  return false;
}

/// Settings that carry what is asked for, each once: windows have sizes that transform fast.
void Study::keep_what_fits(Sweep& sweep) {
  if (sweep.quantity == &Setting::window_A) {
    for (double& width : sweep.values) width = trials_.width_A(with(trials_.own(), sweep, width));
    sweep.values.erase(std::unique(sweep.values.begin(), sweep.values.end()), sweep.values.end());
  }
  std::erase_if(sweep.values, [&](double value) {
    return !fits(with(trials_.own(), sweep, value), fmt::format("{} of {:.4g} Å", sweep.name, value));
  });
}

std::size_t Study::simulated_configurations() const {
  if (plan_.thermal.largest_rms_A() == 0) return 1;
  return std::clamp(2 * plan_.configurations(), kFewestConfigurations, kMostConfigurations);
}

/// From what the config's own setting took, which is done first.
double Study::predicted_core_s(double own_s) const {
  double work = static_cast<double>(simulated_configurations()) * trials_.work(trials_.own());
  for (const Sweep& sweep : sweeps_)
    for (const double value : sweep.values)
      if (value != trials_.own().*sweep.quantity) work += trials_.work(with(trials_.own(), sweep, value));
  return own_s * work / trials_.work(trials_.own());
}

/// False if the study is to end with what it has.
bool Study::simulate(const Setting& setting, std::vector<float>& signals, std::size_t configuration) {
  if (complete_) complete_ = !stop_.agreed(comm_);
  if (!complete_) return false;
  try {
    signals = trials_.signals(setting, configuration);
  } catch (const Interrupted&) {
    complete_ = false;
  }
  return complete_;
}

Json Study::errors_json(const DetectorErrors& errors) const {
  Json json = Json::object();
  for (std::size_t d = 0; d < errors.size(); ++d) json[plan_.imaging[d].name] = errors[d];
  return json;
}

/// What a difference of two windows leaves out of the smaller one's error (docs/performance.md); 1 for
/// others.
double Study::rest_of_window(const Setting& setting, const Sweep& sweep) const {
  if (sweep.quantity != &Setting::window_A) return 1;
  const Setting reference = with(trials_.own(), sweep, sweep.values.back());
  return reference_factor(setting.window_A, reference.window_A, trials_.window_of(reference).whole);
}

Json Study::study(const Sweep& sweep) {
  if (sweep.values.empty()) return {{"unit", "Å"}, {"reference", nullptr}, {"settings", Json::array()}};
  Json result = {{"unit", "Å"}, {"reference", sweep.values.back()}, {"settings", Json::array()}};
  const double own = trials_.own().*sweep.quantity;
  if (sweep.values.back() == own) {
    notes_.push_back(fmt::format("{}: nothing finer than the config's own could be simulated", sweep.name));
    return result;
  }
  std::vector<float> truth;
  if (!simulate(with(trials_.own(), sweep, sweep.values.back()), truth)) return result;
  const double own_work = trials_.work(trials_.own());
  for (std::size_t i = 0; i + 1 < sweep.values.size(); ++i) {
    const double value = sweep.values[i];
    const Setting setting = with(trials_.own(), sweep, value);
    const double missing = rest_of_window(setting, sweep);
    auto signals = own_signals_;
    if (value != own && !simulate(setting, signals)) return result;
    result["settings"].push_back({{"value", value},
                                  {"own", value == own},
                                  {"relative_work", trials_.work(setting) / own_work},
                                  {"error", errors_json(scaled(trials_.errors(signals, truth), missing))}});
  }
  return result;
}

/// The error of a mean over n configurations is their spread over the root of n.
Json Study::study_phonons() {
  Json result = {{"unit", "configurations"}, {"reference", nullptr}, {"settings", Json::array()}};
  const std::size_t simulated = simulated_configurations(), own = plan_.configurations();
  if (simulated == 1) {
    notes_.push_back("phonons: no atom moves");
    return result;
  }
  std::vector<std::vector<float>> single{own_signals_};
  for (std::vector<float> one; single.size() < simulated && simulate(trials_.own(), one, single.size());)
    single.push_back(one);
  if (single.size() < 2) return result;
  std::vector<std::size_t> numbers{1, 2, 4, 8, 16, 32};
  if (std::find(numbers.begin(), numbers.end(), own) == numbers.end()) numbers.push_back(own);
  std::sort(numbers.begin(), numbers.end());
  for (const std::size_t n : numbers)
    result["settings"].push_back({{"value", n},
                                  {"own", n == own},
                                  {"relative_work", static_cast<double>(n) / static_cast<double>(own)},
                                  {"error", errors_json(trials_.phonon_errors(single, n))}});
  return result;
}

Json Study::run() {
  if (trials_.samples().groups.empty())
    throw InputError("scan.field_A", "no probe of the field feels an atom", "a field over the specimen");
  const Setting own = trials_.own();
  if (!fits(own, "the config's own setting")) throw ResourceError(notes_.back());
  sweeps_ = sweeps_of(own);
  for (Sweep& sweep : sweeps_) keep_what_fits(sweep);
  Json result;
  double own_s = thread_seconds();
  (void)simulate(own, own_signals_);
  own_s = thread_seconds() - own_s;
  result["predicted_core_s"] = predicted_core_s(comm_.ordered_sum(std::span<const double>(&own_s, 1)));
  log::info("convergence study: {} sample probes, about {:.0f} s of processor time",
            trials_.samples().probe_count(), result["predicted_core_s"].get<double>());
  result["sample_probes"] = trials_.samples().probe_count();
  result["own"] = {{"sampling_A", own.sampling_A},
                   {"slice_A", own.slice_A},
                   {"window_A", own.window_A},
                   {"frozen_phonons", plan_.configurations()}};
  result["detectors"] = Json::array();
  for (const auto& detector : plan_.imaging) result["detectors"].push_back(detector.name);
  for (const Sweep& sweep : sweeps_) result[sweep.name] = study(sweep);
  result["phonons"] = study_phonons();
  for (std::size_t d = 0; d < plan_.detectors.covered_share.size(); ++d)
    if (plan_.detectors.covered_share[d] < 1)
      notes_.push_back(
          fmt::format("errors of {} are those of the {:.1f} mrad that its own sampling simulates",
                      plan_.detectors.detectors[d].name, plan_.angle_limit_mrad));
  result["notes"] = notes_;
  result["complete"] = complete_;
  return result;
}

}  // namespace

Json convergence_study(const Communicator& comm, const Stop& stop, const Request& request,
                       double memory_limit_bytes) {
  if (request.multislice.mode == multislice::Mode::plane_wave)
    throw InputError("multislice.mode", "plane_wave, which the convergence study does not know", "probe");
  const Plan plan = make_plan(request);
  return Study(comm, stop, request, plan, memory_limit_bytes).run();
}

}  // namespace aetos::simulation
