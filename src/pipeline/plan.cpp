#include "aetos/pipeline/plan.hpp"

#include <algorithm>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/pipeline/specimen.hpp"
#include "aetos/pipeline/tilts.hpp"

namespace aetos::pipeline {

using config::Stage;

std::string file_part(const std::string& source) {
  if (std::filesystem::exists(source)) return source;
  const auto colon = source.rfind(':');
  return colon == std::string::npos ? source : source.substr(0, colon);
}

namespace {

/// Whether the volume that this run's trace stage reads was made from refined angles and moved images, in
/// this run or an earlier one in its folder.
bool was_refined(const Plan& plan) {
  if (plan.has(Stage::reconstruct)) return plan.config.reconstruct.refine_angles;
  return std::filesystem::exists(plan.output / files::refined_series);
}

}  // namespace

bool Plan::has(Stage stage) const {
  return std::find(config.stages.begin(), config.stages.end(), stage) != config.stages.end();
}

simulation::Request Plan::simulation_request() const {
  return {.specimen = *specimen,
          .specimen_options = *config.specimen,
          .microscope = config.microscope,
          .detectors = config.detectors,
          .scan = config.scan,
          .tilts = without_excluded(tilts, config.tilts.exclude),
          .multislice = config.multislice,
          .seed = config.seed,
          .snapshots = snapshots};
}

preprocessing::Request Plan::preprocessing_request() const {
  preprocessing::Request request;
  request.options = config.preprocess;
  if (request.options.signal == "auto") request.options.signal = config.reconstruct.signal;
  request.tilt_axis = config.reconstruct.tilt_axis;
  if (config.preprocess.input.empty()) {
    request.source = (output / files::tilt_series).string();
    return request;
  }
  request.source = config.preprocess.input;
  request.angles = tilts;
  request.exclude = config.tilts.exclude;
  if (config.scan_pixel_given) request.pixel_A = config.scan.pixel_A;
  return request;
}

reconstruction::Request Plan::reconstruction_request() const {
  reconstruction::Request request;
  request.options = config.reconstruct;
  if (config.preprocessed && config.reconstruct.input.empty()) {
    // Angles, pixel and excluded projections were settled by the stage before, bad pixels mended.
    request.source = (output / files::preprocessed).string();
    return request;
  }
  if (config.reconstruct.input.empty()) {
    // The series of the simulate stage knows its angles and its pixel, and holds no excluded projection.
    request.source = (output / files::tilt_series).string();
  } else {
    request.source = config.reconstruct.input;
    request.angles = tilts;
    request.exclude = config.tilts.exclude;
    if (config.scan_pixel_given) request.pixel_A = config.scan.pixel_A;
  }
  request.interpolate_bad_pixels = config.preprocess.bad_pixels == config::BadPixels::interpolate;
  return request;
}

tracing::Request Plan::tracing_request() const {
  tracing::Request request;
  request.options = config.trace;
  request.microscope = config.microscope;
  request.signal = config.reconstruct.signal;
  const bool own_volume = !config.trace.input.empty();
  request.volume = own_volume ? config.trace.input : (output / files::volume).string();
  if (config.scan_pixel_given) request.pixel_A = config.scan.pixel_A;
  if (!config.trace.images.empty()) {
    request.images = config.trace.images;
  } else if (!own_volume && was_refined(*this)) {
    // The images as they were reconstructed from, with their angles and their pixel.
    request.images = (output / files::refined_series).string();
    request.signal = "auto";
    request.pixel_A.reset();
    return request;
  } else if (!config.reconstruct.input.empty()) {
    request.images = config.reconstruct.input;
  } else if (config.preprocessed && !own_volume) {
    // Its pixel may have been calibrated since.
    request.images = (output / files::preprocessed).string();
    request.pixel_A.reset();
    return request;
  } else if (!own_volume) {
    const auto series = output / files::tilt_series;
    if (has(Stage::simulate) || std::filesystem::exists(series)) request.images = series.string();
  }
  const bool users_images =
      !request.images.empty() && request.images != (output / files::tilt_series).string();
  if (users_images) {
    request.angles = tilts;
    request.exclude = config.tilts.exclude;
  }
  return request;
}

std::string Plan::compare_model() const {
  return config.compare.model.empty() ? (output / files::atoms).string() : config.compare.model;
}

std::string Plan::analyze_input() const {
  return config.analyze.input.empty() ? (output / files::atoms).string() : config.analyze.input;
}

std::string Plan::analyze_volume() const {
  if (!config.analyze.needs_volume()) return {};
  return config.analyze.volume.empty() ? (output / files::volume).string() : config.analyze.volume;
}

std::string Plan::analyze_images() const {
  if (!config.analyze.needs_images()) return {};
  if (!config.analyze.images.empty()) return config.analyze.images;
  return (output / (config.preprocess.input.empty() ? files::tilt_series : files::preprocessed)).string();
}

std::vector<double> Plan::thetas() const {
  std::vector<double> thetas;
  for (const auto& a : without_excluded(tilts, config.tilts.exclude)) thetas.push_back(a.theta_deg);
  return thetas;
}

Plan make_plan(config::Master master) {
  Plan plan;
  plan.config = std::move(master);
  for (const auto& note : plan.config.notes) log::warn("{}", note);
  plan.output = plan.config.output;
  plan.tilts = resolve_tilts(plan.config.tilts);
  const auto& config = plan.config;
  const bool needs_specimen = plan.has(Stage::simulate) ||
                              (plan.has(Stage::compare) && config.compare.reference == "specimen") ||
                              (plan.has(Stage::analyze) && config.analyze.input == "specimen");
  if (needs_specimen) {
    if (!config.specimen)
      throw InputError("specimen", "missing",
                       "a specimen with `file` or `build`, which simulate and compare start from");
    auto made = make_specimen(plan.config, without_excluded(plan.tilts, config.tilts.exclude));
    plan.specimen = std::move(made.atoms);
    plan.snapshots = std::move(made.snapshots);
  }
  if (plan.has(Stage::simulate) && without_excluded(plan.tilts, config.tilts.exclude).empty())
    throw InputError("tilts", "no tilt angles", "theta_deg, euler_deg or file");
  if (plan.specimen && plan.config.trace.species.empty() && plan.has(Stage::trace)) {
    std::uint8_t heaviest = 0;
    for (std::uint8_t z : plan.specimen->atomic_number) heaviest = std::max(heaviest, z);
    plan.config.trace.species = {element_symbol(heaviest)};
  }
  return plan;
}

std::vector<Stage> stages_read_by(const Plan& plan, Stage stage) {
  const auto& config = plan.config;
  std::vector<Stage> earlier;
  const Stage images = config.preprocessed ? Stage::preprocess : Stage::simulate;
  if (stage == Stage::preprocess && config.preprocess.input.empty()) earlier = {Stage::simulate};
  if (stage == Stage::reconstruct && config.reconstruct.input.empty()) earlier = {images};
  if (stage == Stage::trace) {
    if (config.trace.input.empty()) earlier.push_back(Stage::reconstruct);
    const bool refined = config.trace.input.empty() && was_refined(plan);
    if (config.trace.images.empty() && config.reconstruct.input.empty() && !refined)
      earlier.push_back(images);
  }
  if (stage == Stage::compare && config.compare.model.empty()) earlier = {Stage::trace};
  if (stage == Stage::analyze) {
    if (config.analyze.input.empty()) earlier.push_back(Stage::trace);
    if (config.analyze.needs_volume() && config.analyze.volume.empty()) earlier.push_back(Stage::reconstruct);
    if (config.analyze.needs_images() && config.analyze.images.empty())
      earlier.push_back(config.preprocess.input.empty() ? Stage::simulate : Stage::preprocess);
  }
  return earlier;
}

std::vector<std::string> external_inputs(const Plan& plan, Stage stage) {
  const auto& config = plan.config;
  std::vector<std::string> inputs;
  const auto add = [&](const std::string& source) {
    if (!source.empty()) inputs.push_back(file_part(source));
  };
  switch (stage) {
    case Stage::simulate:
      for (const auto& file : specimen_files(*config.specimen)) add(file);
      add(config.tilts.file);
      break;
    case Stage::reconstruct:
      add(config.reconstruct.input);
      if (!config.reconstruct.input.empty()) add(config.tilts.file);
      if (config.reconstruct.support != "auto" && config.reconstruct.support != "none")
        add(config.reconstruct.support);
      if (!config.reconstruct.truth.empty()) add(config.reconstruct.truth);
      break;
    case Stage::trace:
      add(config.trace.input);
      // Without images of its own, trace refines against the series that was reconstructed from.
      add(config.trace.images.empty() ? config.reconstruct.input : config.trace.images);
      break;
    case Stage::compare:
      add(config.compare.model);
      if (config.compare.reference == "specimen")
        for (const auto& file : specimen_files(*config.specimen)) add(file);
      else
        add(config.compare.reference);
      break;
    case Stage::analyze:
      if (config.analyze.input == "specimen")
        for (const auto& file : specimen_files(*config.specimen)) add(file);
      else
        add(config.analyze.input);
      if (config.analyze.needs_volume()) add(config.analyze.volume);
      if (config.analyze.needs_images()) add(config.analyze.images);
      if (config.analyze.asks_for("profiles"))
        for (const auto& profile : config.analyze.profiles) add(profile.image);
      break;
    case Stage::preprocess:
      add(config.preprocess.input);
      if (!config.preprocess.input.empty()) add(config.tilts.file);
      add(config.preprocess.shifts);
      if (config.preprocess.calibrate) add(config.preprocess.calibrate->file);
      break;
  }
  return inputs;
}

namespace {

const std::vector<std::string> kRefinedOutputs{files::refined_series, files::refined_angles};
const std::vector<std::string> kCalibrationOutputs{files::calibration, files::crystal};

/// What a stage leaves whatever was asked for.
std::vector<std::string> certain_outputs_of(Stage stage) {
  switch (stage) {
    case Stage::simulate:
      return {files::tilt_series};
    case Stage::reconstruct:
      return {files::volume};
    case Stage::trace:
      return {files::atoms, files::rejected_peaks};
    case Stage::compare:
      return {files::comparison, files::displacements};
    case Stage::analyze:
      return {files::analysis, files::analyzed_atoms};
    case Stage::preprocess:
      return {files::preprocessed, files::preprocessing, files::shifts};
  }
  return {};
}

void append(std::vector<std::string>& outputs, const std::vector<std::string>& more) {
  outputs.insert(outputs.end(), more.begin(), more.end());
}

}  // namespace

std::vector<std::string> outputs_of(const Plan& plan, Stage stage) {
  auto outputs = certain_outputs_of(stage);
  if (stage == Stage::reconstruct && plan.config.reconstruct.refine_angles) append(outputs, kRefinedOutputs);
  if (stage == Stage::trace && plan.config.trace.refine_angles) outputs.push_back(files::traced_angles);
  if (stage == Stage::preprocess && plan.config.preprocess.calibrate) append(outputs, kCalibrationOutputs);
  return outputs;
}

std::vector<std::string> all_outputs_of(Stage stage) {
  auto outputs = certain_outputs_of(stage);
  if (stage == Stage::simulate) outputs.push_back(files::diffraction);
  if (stage == Stage::reconstruct) append(outputs, kRefinedOutputs);
  if (stage == Stage::trace) outputs.push_back(files::traced_angles);
  if (stage == Stage::preprocess) append(outputs, kCalibrationOutputs);
  if (stage == Stage::analyze)
    for (const char* table :
         {"radial-distribution", "coordination", "order", "tetrahedra", "voronoi", "phases", "oxidation",
          "vacancies", "interfaces", "facets", "dislocations", "sigma", "slices", "sro", "intensity",
          "columns", "column-profiles", "section-atoms", "profiles"})
      outputs.push_back(std::string(table) + ".csv");
  if (stage == Stage::analyze) outputs.emplace_back(files::sections);
  return outputs;
}

}  // namespace aetos::pipeline
