#include "aetos/pipeline/check_convergence.hpp"

#include <fmt/format.h>

#include "aetos/core/error.hpp"
#include "aetos/pipeline/stage_meter.hpp"
#include "aetos/simulation/convergence.hpp"

namespace aetos::pipeline {
namespace {

using Json = nlohmann::json;

std::string table(const std::string& name, const Json& sweep, const Json& detectors) {
  const std::string unit = sweep["unit"];
  std::string text = fmt::format("\n{} ({})", name, unit);
  if (sweep["reference"].is_number())
    text += fmt::format(", against {:.4g}", sweep["reference"].get<double>());
  text += fmt::format("\n{:>12}{:>10}", "value", "work");
  for (const auto& detector : detectors) text += fmt::format("{:>14}", detector.get<std::string>());
  for (const auto& row : sweep["settings"]) {
    text +=
        fmt::format("\n{:>12.4g}{:>10.3g}", row["value"].get<double>(), row["relative_work"].get<double>());
    for (const auto& detector : detectors)
      text += fmt::format("{:>12.2f} %", 100 * row["error"][detector.get<std::string>()].get<double>());
    if (row["own"].get<bool>()) text += "   the config's own";
  }
  return text + "\n";
}

}  // namespace

Json check_convergence(const Communicator& comm, const Stop& stop, const Plan& plan) {
  if (!plan.has(config::Stage::simulate))
    throw InputError("stages", "no stage simulate", "a config that simulates, for --convergence");
  // The root's node speaks for all: what is tried must be the same on every rank.
  const double here = memory_here_MiB() * 1048576 / comm.on_this_machine().size();
  const double memory = comm.broadcast_value(here);
  return simulation::convergence_study(comm, stop, plan.simulation_request(), memory);
}

std::string format_convergence(const Json& study) {
  std::string text =
      fmt::format("relative RMS errors of images without noise, on {} sample probes; window {:.3g} Å\n",
                  study["sample_probes"].get<long>(), study["own"]["window_A"].get<double>());
  for (const char* sweep : {"sampling", "slice", "window", "phonons"})
    if (!study[sweep]["settings"].empty()) text += table(sweep, study[sweep], study["detectors"]);
  for (const auto& note : study["notes"]) text += "\nnote: " + note.get<std::string>();
  if (!study["complete"].get<bool>()) text += "\nstopped early: the tables are not complete";
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace aetos::pipeline
