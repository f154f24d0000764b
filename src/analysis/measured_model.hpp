#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aetos/analysis/analyze.hpp"
#include "aetos/analysis/neighbourhood.hpp"
#include "aetos/analysis/phases.hpp"
#include "aetos/analysis/radial_distribution.hpp"
#include "aetos/analysis/triangulation.hpp"
#include "aetos/core/array.hpp"

/// What the measures of one run share, and where they leave their results.
namespace aetos::analysis {

inline constexpr double kDistributionStep_A = 0.05, kDistributionReach_A = 20;

/// The framework of a model with what several measures need: each part is computed once.
struct MeasuredModel {
  Structure framework;           ///< without oxygen, unless there is nothing else
  std::vector<std::size_t> row;  ///< of each framework atom in the whole model
  std::vector<Vec3> oxygen;      ///< places of the oxygen left out
  Triangulation triangulation;
  std::vector<Tetrahedron> alpha;
  RadialDistribution distribution;
  std::optional<FirstMinimum> minimum;
  Neighbourhood neighbours;   ///< cutoff 0 where none could be found
  std::vector<bool> surface;  ///< the alpha shape leaves part of the solid angle open
  BondOrder order;
  std::vector<bool> crystalline;
  std::vector<Phase> phases;
  const Structure* whole = nullptr;  ///< the caller's, oxygen included
  double layer_A = 5.3;
  AnalysisInputs inputs = {};
};

MeasuredModel measure_model(const AnalyzeRequest& request);

/// Results beside the numbers: files by name, and columns of the atoms that were measured.
struct MeasureOutput {
  std::map<std::string, std::string> files;
  std::map<std::string, Column> columns;  ///< one entry per framework atom
  std::vector<Array<float, 2>> pictures;  ///< of one shape; for sections.h5
};

nlohmann::json measure_bonds(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_coordination(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_order(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_tetrahedra(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_voronoi(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_phases(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_oxidation(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_vacancies(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_interfaces(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_facets(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_dislocations(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_sigma(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_slices(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_sro(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_intensity(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_columns(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_sections(const MeasuredModel& model, MeasureOutput& output);
nlohmann::json measure_profiles(const MeasuredModel& model, MeasureOutput& output);

/// The number, or null where there is none (also for an infinite one).
nlohmann::json number_or_null(std::optional<double> value);
/// For a CSV cell: the number, or nothing.
std::string cell(std::optional<double> value, int decimals = 4);
/// Mean of the values; none without any.
std::optional<double> mean_of(const std::vector<double>& values);
/// Standard deviation (n - 1 in the denominator); none for fewer than two values.
std::optional<double> deviation_of(const std::vector<double>& values);
/// {count: their number, mean, standard_deviation}; `unit` ends the names of the last two ("_A").
nlohmann::json level_of(const std::vector<double>& values, const std::string& count,
                        const std::string& unit = "");

}  // namespace aetos::analysis
