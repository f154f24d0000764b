#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "aetos/config/master.hpp"
#include "aetos/core/structure.hpp"
#include "aetos/preprocessing/preprocess.hpp"
#include "aetos/reconstruction/reconstruct.hpp"
#include "aetos/simulation/simulate.hpp"
#include "aetos/tracing/trace.hpp"

/// From a validated config to what each driver is asked: inputs looked up, angles resolved, the specimen
/// read.
namespace aetos::pipeline {

/// Names of the files of a run (INTERFACE, "Files of a run").
namespace files {
inline constexpr const char* resolved_config = kResolvedConfig;
inline constexpr const char* tilt_series = "tilt_series.h5";
inline constexpr const char* diffraction = simulation::kDiffractionFile;
inline constexpr const char* refined_series = reconstruction::kRefinedSeries;
inline constexpr const char* refined_angles = reconstruction::kRefinedAngles;
inline constexpr const char* preprocessed = "preprocessed.h5";
inline constexpr const char* preprocessing = "preprocessing.json";
inline constexpr const char* shifts = "shifts.csv";
inline constexpr const char* calibration = "calibration.json";
inline constexpr const char* crystal = "calibration.h5";
inline constexpr const char* volume = "volume.h5";
inline constexpr const char* atoms = "atoms.extxyz";
inline constexpr const char* rejected_peaks = "rejected_peaks.csv";
inline constexpr const char* traced_angles = "traced_angles.csv";
inline constexpr const char* comparison = "comparison.json";
inline constexpr const char* displacements = "displacements.csv";
inline constexpr const char* analysis = "analysis.json";
inline constexpr const char* sections = "sections.h5";
inline constexpr const char* analyzed_atoms = "atoms-analyzed.extxyz";
inline constexpr const char* summary = "summary.json";
inline constexpr const char* log = "log.txt";
inline constexpr const char* report = "report.html";
inline constexpr const char* xdmf = "run.xdmf";
inline constexpr const char* record = "run.json";
inline constexpr const char* work = "work";
}  // namespace files

struct Plan {
  config::Master config;
  std::filesystem::path output;
  std::vector<EulerAngles> tilts;          ///< of the `tilts` section, sign applied, nothing excluded
  std::optional<Structure> specimen;       ///< about the rotation centre, if a stage needs it
  std::vector<atoms::Snapshot> snapshots;  ///< of specimen.thermal.configurations

  bool has(config::Stage stage) const;
  simulation::Request simulation_request() const;
  preprocessing::Request preprocessing_request() const;
  reconstruction::Request reconstruction_request() const;
  tracing::Request tracing_request() const;
  std::string compare_model() const;
  std::string analyze_input() const;  ///< not of the specimen
  /// The volume and the images that measures of intensity read; empty where none of them was asked for.
  std::string analyze_volume() const;
  std::string analyze_images() const;
  /// Theta of every projection that takes part, for the missing wedge; empty if only the files know.
  std::vector<double> thetas() const;
};

/// Reads what the stages need (the specimen, angle files). Throws InputError. Every rank gets the same.
Plan make_plan(config::Master config);

/// Earlier stages whose output in the run's folder a stage reads.
std::vector<config::Stage> stages_read_by(const Plan& plan, config::Stage stage);
/// Files outside the run that a stage reads, for checksums.
std::vector<std::string> external_inputs(const Plan& plan, config::Stage stage);
/// The final files without which a stage of this plan is not done, and all that a stage of any plan may leave
/// in the run's folder.
std::vector<std::string> outputs_of(const Plan& plan, config::Stage stage);
std::vector<std::string> all_outputs_of(config::Stage stage);
/// The file part of "file.mat:array".
std::string file_part(const std::string& source);

}  // namespace aetos::pipeline
