#include "aetos/pipeline/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "aetos/atoms/measures.hpp"
#include "aetos/atoms/thermal.hpp"
#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/progress.hpp"
#include "aetos/imaging/dose.hpp"
#include "aetos/io/disk_space.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/pipeline/model_images.hpp"
#include "aetos/pipeline/stage_meter.hpp"
#include "aetos/tracing/predict.hpp"

namespace aetos::pipeline {
namespace {

using config::Stage;
using Json = nlohmann::json;

bool reads_patterns(const Plan& plan) {
  return std::any_of(plan.config.detectors.begin(), plan.config.detectors.end(),
                     [](const auto& d) { return d.kind == multislice::DetectorKind::pixelated; });
}

template <class Estimate>
Json cost(const Estimate& estimate) {
  return {{"core_hours", estimate.core_seconds / 3600},
          {"memory_per_rank_MiB", estimate.memory_per_rank_MiB},
          {"bytes_written", estimate.bytes_written},
          {"warnings", estimate.warnings}};
}

Json check_simulation(const Plan& plan, int ranks) {
  const auto estimate = simulation::estimate(plan.simulation_request(), ranks);
  Json stage = cost(estimate);
  stage["tilts"] = estimate.tilts;
  stage["phonons"] = estimate.phonons;
  stage["probes"] = estimate.probes;
  stage["slices"] = estimate.slices;
  stage["image_px"] = {estimate.image_ny, estimate.image_nx};
  stage["angle_limit_mrad"] = estimate.angle_limit_mrad;
  stage["atoms"] = plan.specimen->size();
  return stage;
}

Json check_reconstruction(const reconstruction::Request& request, int ranks) {
  const auto estimate = reconstruction::estimate(request, ranks);
  Json stage = cost(estimate);
  stage["projections"] = estimate.projections;
  stage["image_px"] = {estimate.ny, estimate.nx};
  stage["volume_px"] = estimate.volume_px;
  return stage;
}

/// The series that simulate will make has not been written yet.
Json check_reconstruction_of_simulated(const Plan& plan, const Json& simulated, int ranks) {
  auto request = plan.reconstruction_request();
  const std::string& signal = request.options.signal;
  io::TiltSeriesInfo header;
  header.ny = simulated["image_px"][0];
  header.nx = simulated["image_px"][1];
  header.pixel_A = plan.config.scan.pixel_A;
  header.angles = plan.simulation_request().tilts;
  header.tilts = header.angles.size();
  header.signals = {signal == "auto" ? "" : signal};
  request.header = header;
  return check_reconstruction(request, ranks);
}

Json check_preprocessing(const Plan& plan, int ranks) {
  const auto estimate = preprocessing::estimate(plan.preprocessing_request(), ranks);
  Json stage = cost(estimate);
  stage["projections"] = estimate.projections;
  stage["image_px"] = {estimate.ny, estimate.nx};
  return stage;
}

/// The images that a stage reads, where they are there already.
bool is_present(const std::string& source) {
  return std::filesystem::exists(file_part(source));
}

/// What reconstruct will read where the preprocess stage has yet to make it: images of the same shape.
reconstruction::Request request_before_preprocessing(const Plan& plan) {
  const auto first = plan.preprocessing_request();
  auto request = plan.reconstruction_request();
  request.source = first.source;
  request.angles = first.angles;
  request.exclude = first.exclude;
  request.pixel_A = first.pixel_A;
  return request;
}

Json check_images_to_volume(const Plan& plan, const Json& stages, int ranks) {
  const bool preprocessed = plan.config.preprocessed && plan.config.reconstruct.input.empty();
  const bool simulated = plan.has(Stage::simulate) && (preprocessed ? plan.config.preprocess.input.empty()
                                                                    : plan.config.reconstruct.input.empty());
  const bool made_now = preprocessed && plan.has(Stage::preprocess);
  if (simulated && (!preprocessed || made_now))
    return check_reconstruction_of_simulated(plan, stages["simulate"], ranks);
  const auto request = made_now ? request_before_preprocessing(plan) : plan.reconstruction_request();
  if (is_present(request.source)) return check_reconstruction(request, ranks);
  throw InputError("reconstruct.input", "nothing to reconstruct: " + request.source + " does not exist",
                   preprocessed ? "a tilt series, or the stage preprocess before"
                                : "a tilt series, or the stage simulate before");
}

/// What the images' noise will allow: pm, or null where there will be none, or no ring that counts electrons.
Json predicted_bound(const Plan& plan, const Json& simulated) {
  const auto& m = plan.config.microscope;
  const auto* detector = first_annular(plan.config.detectors);
  const bool own_images = plan.config.reconstruct.input.empty() && plan.config.trace.images.empty();
  if (!detector || !own_images || !plan.config.trace.refine ||
      plan.config.multislice.mode == multislice::Mode::plane_wave)
    return nullptr;
  const auto request = plan.simulation_request();
  const auto electrons =
      imaging::electrons_per_pixel({m.dose_e_per_A2, m.dose_total_e_per_A2, m.screen_current_pA, m.dwell_us},
                                   plan.config.scan.pixel_A, request.tilts.size());
  if (!electrons) return nullptr;
  const double limit = simulated["angle_limit_mrad"];
  const auto motion = atoms::thermal_model(*plan.specimen, plan.config.specimen->thermal, plan.snapshots);
  double square = 0;
  for (const double rms : motion.rms_A) square += rms * rms / static_cast<double>(motion.rms_A.size());
  const auto bound = tracing::predict_bound_pm(*plan.specimen, plan.config.trace.species,
                                               {.microscope = m,
                                                .tilts = request.tilts,
                                                .shape = {simulated["image_px"][0], simulated["image_px"][1]},
                                                .pixel_A = plan.config.scan.pixel_A,
                                                .electrons_per_pixel = *electrons,
                                                .inner_mrad = detector->inner_mrad,
                                                .outer_mrad = std::min(detector->outer_mrad, limit),
                                                .mean_square_displacement_A2 = square,
                                                .parametrization = plan.config.multislice.parametrization});
  return bound ? Json(*bound) : Json(nullptr);
}

/// Images of the traced atoms, which the refinement simulates: about as many as the specimen has.
simulation::Estimate estimate_refinement(const Plan& plan, int ranks) {
  auto request = plan.simulation_request();
  request.snapshots = {};
  request.multislice.error_budget = false;
  request.specimen_options.thermal.configurations.clear();
  request.specimen_options.thermal.frozen_phonons = 1;
  // Without one the config has been refused.
  request.detectors = {*first_annular(plan.config.detectors)};
  return simulation::estimate(request, ranks);
}

/// Sizes of the trace, as far as earlier stages or files tell them; nothing where they do not.
std::optional<tracing::PlannedTrace> planned_trace(const Plan& plan, const Json& stages) {
  const auto request = plan.tracing_request();
  tracing::PlannedTrace planned;
  planned.voxel_A = plan.config.scan.pixel_A;
  const Json made = stages.value("reconstruct", Json::object());
  if (made.contains("volume_px") && plan.config.trace.input.empty()) {
    planned.volume_px = made["volume_px"].get<std::array<std::size_t, 3>>();
  } else if (is_present(request.volume)) {
    const auto info = io::read_volume_info(request.volume);
    planned.volume_px = info.shape;
    if (!request.pixel_A) planned.voxel_A = info.voxel_A.value_or(planned.voxel_A);
  } else {
    return {};
  }
  const Json images = made.contains("projections") ? made : stages.value("simulate", Json::object());
  if (images.contains("image_px") && plan.config.trace.images.empty()) {
    planned.projections = images.value("projections", images.value("tilts", std::size_t{0}));
    planned.image_px = images["image_px"].get<std::array<std::size_t, 2>>();
  } else if (!request.images.empty() && is_present(request.images)) {
    const auto info = io::read_tilt_series_info(request.images);
    planned.projections = info.tilts;
    planned.image_px = {info.ny, info.nx};
  }
  if (plan.specimen) {
    planned.radius_A = atoms::outer_radius(*plan.specimen);
    const auto& species = plan.config.trace.species;
    planned.atoms = static_cast<std::size_t>(std::count_if(
        plan.specimen->atomic_number.begin(), plan.specimen->atomic_number.end(), [&](std::uint8_t z) {
          return z > 0 && std::find(species.begin(), species.end(), element_symbol(z)) != species.end();
        }));
  }
  return planned;
}

Json check_tracing(const Plan& plan, const Json& stages, int ranks) {
  Json stage = Json::object();
  const auto planned = planned_trace(plan, stages);
  const bool multislice = plan.config.trace.refine && plan.specimen &&
                          plan.config.trace.refine_model == config::RefineModel::multislice;
  if (planned) {
    auto estimate = tracing::estimate(*planned, plan.config.trace, ranks);
    if (multislice) {
      const auto simulated = estimate_refinement(plan, ranks);
      estimate.core_seconds += simulated.core_seconds;
      estimate.memory_per_rank_MiB = std::max(estimate.memory_per_rank_MiB, simulated.memory_per_rank_MiB);
      estimate.bytes_written += simulated.bytes_written;
    }
    stage = cost(estimate);
    stage["atoms"] = estimate.atoms;
  }
  if (plan.has(Stage::simulate)) stage["crlb_pm"] = predicted_bound(plan, stages["simulate"]);
  return stage;
}

void refuse_what_does_not_fit(const Json& result, int ranks_here) {
  const double here = memory_here_MiB();
  const double needed = result["memory_per_rank_MiB"].get<double>() * ranks_here;
  if (needed > here)
    throw InputError("memory",
                     fmt::format("about {:.0f} MiB on {} rank(s) of this machine", needed, ranks_here),
                     fmt::format("at most {:.0f} MiB; use more nodes, a smaller window or field, a coarser "
                                 "sampling_A, or less oversampling",
                                 here));
}

}  // namespace

Json check(const Plan& plan, int ranks, int ranks_here) {
  Json result;
  result["project"] = plan.config.project;
  result["output"] = plan.output.string();
  result["ranks"] = ranks;
  result["stages"] = Json::object();
  for (Stage stage : plan.config.stages) {
    auto& entry = result["stages"][config::stage_name(stage)];
    entry = Json::object();
    if (stage == Stage::simulate) entry = check_simulation(plan, ranks);
    if (stage == Stage::preprocess && is_present(plan.preprocessing_request().source))
      entry = check_preprocessing(plan, ranks);
    if (stage == Stage::reconstruct) entry = check_images_to_volume(plan, result["stages"], ranks);
    if (stage == Stage::trace && !plan.has(Stage::reconstruct) &&
        !std::filesystem::exists(file_part(plan.tracing_request().volume)))
      throw InputError("trace.input", plan.tracing_request().volume + " does not exist",
                       "a volume, or the stage reconstruct before");
    if (stage == Stage::trace) entry = check_tracing(plan, result["stages"], ranks);
    if (stage == Stage::analyze && !plan.has(Stage::trace) && plan.config.analyze.input != "specimen" &&
        !std::filesystem::exists(plan.analyze_input()))
      throw InputError("analyze.input", plan.analyze_input() + " does not exist",
                       "an atom file, or the stage trace before");
    if (stage == Stage::compare && !plan.has(Stage::trace) && !std::filesystem::exists(plan.compare_model()))
      throw InputError("compare.model", plan.compare_model() + " does not exist",
                       "an atom file, or the stage trace before");
  }
  double hours = 0, memory = 0, bytes = 0;
  Json warnings = Json::array();
  for (const auto& [name, stage] : result["stages"].items()) {
    hours += stage.value("core_hours", 0.0);
    memory = std::max(memory, stage.value("memory_per_rank_MiB", 0.0));
    bytes += stage.value("bytes_written", 0.0);
    for (const auto& warning : stage.value("warnings", Json::array())) warnings.push_back(warning);
  }
  const auto room = io::free_bytes(plan.output);
  // What an earlier start left may be enough; then each stage looks for itself (io::require_space).
  const bool first_start = !std::filesystem::exists(plan.output / files::record);
  if (room && bytes > *room && first_start && plan.has(Stage::simulate) && reads_patterns(plan))
    throw InputError("detectors",
                     fmt::format("{:.0f} MB to write, with the patterns of pixelated detectors", bytes / 1e6),
                     fmt::format("at most the {:.0f} MB that are free in {}; read fewer tilts, a smaller "
                                 "outer_mrad or a larger step_mrad",
                                 *room / 1e6, plan.output.string()));
  if (room && bytes > *room)
    warnings.push_back(fmt::format("{:.0f} MB will be written, but only {:.0f} MB are free in {}",
                                   bytes / 1e6, *room / 1e6, plan.output.string()));
  result["core_hours"] = hours;
  result["wall_hours"] = hours / ranks;
  result["memory_per_rank_MiB"] = memory;
  result["bytes_written"] = bytes;
  result["bytes_free"] = room ? Json(*room) : Json(nullptr);
  result["warnings"] = warnings;
  refuse_what_does_not_fit(result, ranks_here);
  return result;
}

std::string format_check(const Json& plan) {
  std::string text = fmt::format("project {}, output in {}, {} rank(s)\n", plan["project"].get<std::string>(),
                                 plan["output"].get<std::string>(), plan["ranks"].get<int>());
  for (const auto& [name, stage] : plan["stages"].items()) {
    text += fmt::format("  {:<12}", name);
    if (stage.contains("probes"))
      text += fmt::format(
          "{} tilts x {} configuration(s) of {} atoms, {} probes each, {} slices, images {} x {}, "
          "angles up to {:.1f} mrad; ",
          stage["tilts"].get<long>(), stage["phonons"].get<long>(), stage["atoms"].get<long>(),
          stage["probes"].get<long>(), stage["slices"].get<long>(), stage["image_px"][0].get<long>(),
          stage["image_px"][1].get<long>(), stage["angle_limit_mrad"].get<double>());
    if (stage.contains("volume_px"))
      text += fmt::format("volume {} x {} x {} (z, y, x); ", stage["volume_px"][0].get<long>(),
                          stage["volume_px"][1].get<long>(), stage["volume_px"][2].get<long>());
    if (name == "trace" && stage.contains("atoms"))
      text += fmt::format("about {} atoms; ", stage["atoms"].get<long>());
    if (stage.contains("core_hours"))
      text += fmt::format("about {:.2g} core-hours, {:.0f} MiB per rank", stage["core_hours"].get<double>(),
                          stage["memory_per_rank_MiB"].get<double>());
    if (stage.contains("crlb_pm") && stage["crlb_pm"].is_number())
      text += fmt::format("{}the images' noise will allow {:.1f} pm (Cramér-Rao bound)",
                          stage.contains("core_hours") ? "; " : "", stage["crlb_pm"].get<double>());
    text += "\n";
  }
  text +=
      fmt::format("in all about {:.2g} core-hours, {} on {} rank(s); {:.0f} MiB per rank; {:.1f} MB written",
                  plan["core_hours"].get<double>(), format_duration(3600 * plan["wall_hours"].get<double>()),
                  plan["ranks"].get<int>(), plan["memory_per_rank_MiB"].get<double>(),
                  plan["bytes_written"].get<double>() / 1e6);
  for (const auto& warning : plan["warnings"]) text += "\nwarning: " + warning.get<std::string>();
  return text;
}

}  // namespace aetos::pipeline
