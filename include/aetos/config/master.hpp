#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "aetos/atoms/options.hpp"
#include "aetos/config/stage_options.hpp"
#include "aetos/multislice/options.hpp"
#include "aetos/tomography/options.hpp"

namespace aetos::config {

/// In the order in which they run.
enum class Stage { simulate, preprocess, reconstruct, trace, compare, analyze };
inline constexpr std::array<Stage, 6> kAllStages{Stage::simulate, Stage::preprocess, Stage::reconstruct,
                                                 Stage::trace,    Stage::compare,    Stage::analyze};
const char* stage_name(Stage stage);

/// Everything that one master config says, validated; paths are absolute.
struct Master {
  std::string project = "aetos";
  std::string output = "runs/aetos";
  std::uint64_t seed = 1;
  std::vector<Stage> stages;  ///< in the order they run
  double checkpoint_interval_s = 60;

  std::optional<atoms::SpecimenOptions> specimen;
  multislice::MicroscopeOptions microscope;
  std::vector<multislice::DetectorOptions> detectors;
  multislice::ScanOptions scan;
  bool scan_pixel_given = false;  ///< whether scan.pixel_A stood in the config (it then overrides a file's)
  tomography::TiltOptions tilts;
  multislice::MultisliceOptions multislice;
  PreprocessOptions preprocess;
  bool preprocessed =
      false;  ///< whether the preprocess stage is among the config's, so that later ones read its images
  tomography::ReconstructOptions reconstruct;
  TraceOptions trace;
  CompareOptions compare;
  AnalyzeOptions analyze;
  FileOptions files;
  CampaignOptions campaign;

  std::vector<std::string> notes;  ///< what the reader wants said: warnings that do not stop a run
};

}  // namespace aetos::config
