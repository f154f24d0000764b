#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// The parts of the report, each made from the files of a run. Each is empty if its files are not there.
namespace aetos::pipeline::report {

struct Run {
  std::filesystem::path folder;
  nlohmann::json summary = nlohmann::json::object();  ///< summary.json, or empty
  bool has(const char* name) const { return std::filesystem::exists(folder / name); }
  /// A stage's object of the summary, or an empty object.
  const nlohmann::json& stage(const std::string& name) const;
};

std::string headline_section(const Run& run);
/// The run's parameters beside those of the study (its Supplementary Table 1).
std::string overview_section(const Run& run);
std::string tilt_series_section(const Run& run);
std::string preprocessing_section(const Run& run);
/// Of the preprocessing section: what a known crystal says of the scan.
std::string calibration_part(const Run& run);
std::string volume_section(const Run& run);
std::string atoms_section(const Run& run);
std::string comparison_section(const Run& run);
std::string structure_section(const Run& run);
/// Of the structure section: interfaces, facets, layers, intensities and columns of analysis.json.
std::string measures_part(const Run& run, const nlohmann::json& analysis);
/// Of the same: slabs of the volume with atoms; lines across images.
std::string slabs_part(const Run& run, const nlohmann::json& sections);
std::string profiles_part(const Run& run, const nlohmann::json& profiles);
/// The atoms and the volume in three dimensions, to be turned (WebGL, in the page itself).
std::string view_section(const Run& run);
/// Of the view section: an isosurface of the volume, thinned, and of its middle at full resolution.
std::string surface_part(const Run& run);
/// Of the structure section: dislocations and short-range order.
std::string order_part(const nlohmann::json& analysis);
std::string warnings_section(const Run& run);
std::string performance_section(const Run& run);
std::string settings_section(const Run& run);

}  // namespace aetos::pipeline::report
