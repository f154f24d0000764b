#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aetos/config/stage_options.hpp"
#include "aetos/core/options.hpp"
#include "aetos/core/structure.hpp"
#include "aetos/parallel/run_context.hpp"

/// The stage `analyze`: the structure measures of docs/analysis.md on one atomic model.
namespace aetos::analysis {

/// Files that measures of intensity read.
struct AnalysisInputs {
  std::string volume;   ///< of `intensity` and `sections`; empty = there is none
  std::string images;   ///< tilt series of `columns` and `profiles`; empty = there is none
  double radius_A = 1;  ///< of the spheres of `intensity`
  std::vector<config::SectionOptions> sections = {};
  std::vector<config::ProfileOptions> profiles = {};
};

struct AnalyzeRequest {
  const Structure& atoms;
  std::vector<std::string> measures;  ///< of config::kMeasures
  Auto<double> cutoff_A;              ///< neighbours; auto = first minimum of the radial distribution
  double alpha_A = 4;                 ///< of the alpha shape that is the sample
  config::Isolated isolated = config::Isolated::keep;
  double layer_A = 5.3;  ///< thickness of the layers of `slices`
  AnalysisInputs inputs = {};
};

/// The measures there are, in the order in which they are done.
const std::vector<std::string>& known_measures();

/// Runs the measures that were asked for. The root rank computes, so the answer is the same on any number of
/// ranks. Writes into `folder`: analysis.json (all numbers), a CSV per measure (a row per atom or bin; units
/// in the names of the columns; an empty cell where a number is undefined) and atoms-analyzed.extxyz (the
/// atoms with a column per property). Returns one object per measure for summary.json; undefined numbers are
/// null.
///
/// The framework alone is measured: where a model has oxygen beside other species, oxygen has no neighbours
/// here and counts for `oxidation` only. Throws InputError for an unknown measure (naming those there are)
/// and a cutoff or alpha that is not positive. Collective.
nlohmann::json analyze(const RunContext& context, const AnalyzeRequest& request,
                       const std::filesystem::path& folder);

}  // namespace aetos::analysis
