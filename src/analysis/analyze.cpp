#include "aetos/analysis/analyze.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"
#include "measured_model.hpp"

namespace aetos::analysis {
namespace {

using nlohmann::json;
using Measure = std::function<json(const MeasuredModel&, MeasureOutput&)>;

const std::vector<std::pair<std::string, Measure>>& measures() {
  static const std::vector<std::pair<std::string, Measure>> all{{"bonds", measure_bonds},
                                                                {"coordination", measure_coordination},
                                                                {"order", measure_order},
                                                                {"tetrahedra", measure_tetrahedra},
                                                                {"voronoi", measure_voronoi},
                                                                {"phases", measure_phases},
                                                                {"oxidation", measure_oxidation},
                                                                {"vacancies", measure_vacancies},
                                                                {"interfaces", measure_interfaces},
                                                                {"facets", measure_facets},
                                                                {"dislocations", measure_dislocations},
                                                                {"sigma", measure_sigma},
                                                                {"slices", measure_slices},
                                                                {"sro", measure_sro},
                                                                {"intensity", measure_intensity},
                                                                {"columns", measure_columns},
                                                                {"sections", measure_sections},
                                                                {"profiles", measure_profiles}};
  return all;
}

void check(const AnalyzeRequest& request) {
  const auto& known = known_measures();
  for (const auto& name : request.measures)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError("analyze.measures", "'" + name + "'",
                       fmt::format("one of {}", fmt::join(known, ", ")));
  if (request.cutoff_A && !(*request.cutoff_A > 0))
    throw InputError("analyze.cutoff_A", fmt::format("{}", *request.cutoff_A), "auto or a length above 0 Å");
  if (!(request.alpha_A > 0))
    throw InputError("analyze.alpha_A", fmt::format("{}", request.alpha_A), "a length above 0 Å");
  if (!(request.layer_A > 0))
    throw InputError("analyze.layer_A", fmt::format("{}", request.layer_A), "a length above 0 Å");
}

void tell_cutoff(const AnalyzeRequest& request, const MeasuredModel& model) {
  if (request.cutoff_A) return;
  if (!model.minimum)
    return log::warn("no two atoms are nearer than {} Å: no cutoff was found, atoms have no neighbours",
                     kDistributionReach_A);
  log::info(
      "neighbours: nearer than {:.3f} Å, the first minimum of g(r), which stays near its minimum from {:.3f} "
      "to "
      "{:.3f} Å",
      model.minimum->cutoff_A, model.minimum->low_A, model.minimum->high_A);
}

/// A column of the whole model; atoms that were not measured (oxygen) hold -1, 0 or "none".
template <class T>
Column spread(const std::vector<T>& values, const MeasuredModel& model, std::size_t atoms) {
  T unmeasured{};
  if constexpr (std::is_same_v<T, std::string>) unmeasured = "none";
  if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::int64_t>) unmeasured = -1;
  std::vector<T> whole(atoms, unmeasured);
  for (std::size_t i = 0; i < values.size(); ++i) whole[model.row[i]] = values[i];
  return {whole, 1};
}

/// The model with the measured columns, which replace columns of the same names.
Structure with_columns(const Structure& atoms, const MeasuredModel& model, const MeasureOutput& output) {
  Structure result = atoms;
  for (const auto& [name, column] : output.columns)
    std::visit(
        [&, key = name](const auto& values) { result.columns[key] = spread(values, model, atoms.size()); },
        column.values);
  return result;
}

/// All pictures as the images of one file, without angles and pixel: analysis.json says what each shows.
void write_pictures(const RunContext& context, const std::filesystem::path& file,
                    const std::vector<Array<float, 2>>& pictures) {
  io::TiltSeriesInfo info;
  info.tilts = pictures.size();
  info.ny = pictures[0].extent(0);
  info.nx = pictures[0].extent(1);
  info.signals = {"sections"};
  const Communicator self(MPI_COMM_SELF);
  io::TiltSeriesWriter writer(self, file, info, io::provenance_of(context));
  for (std::size_t i = 0; i < pictures.size(); ++i)
    writer.write("sections", {i}, View<const float, 3>(pictures[i].data(), {1, info.ny, info.nx}));
  writer.commit();
}

json run_measures(const RunContext& context, const AnalyzeRequest& request,
                  const std::filesystem::path& folder) {
  const MeasuredModel model = measure_model(request);
  tell_cutoff(request, model);
  MeasureOutput output;
  json result = json::object();
  for (const auto& [name, measure] : measures())
    if (std::find(request.measures.begin(), request.measures.end(), name) != request.measures.end())
      result[name] = measure(model, output);
  for (const auto& [name, text] : output.files) io::write_file_atomically(folder / name, text);
  if (!output.pictures.empty()) write_pictures(context, folder / "sections.h5", output.pictures);
  io::write_extxyz(context, folder / "atoms-analyzed.extxyz", with_columns(request.atoms, model, output));
  io::write_file_atomically(folder / "analysis.json", io::json_file_of(context, result));
  return result;
}

}  // namespace

const std::vector<std::string>& known_measures() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, measure] : measures()) all.push_back(name);
    return all;
  }();
  return names;
}

json analyze(const RunContext& context, const AnalyzeRequest& request, const std::filesystem::path& folder) {
  check(request);
  fault::point("analyze");
  std::string text;
  context.comm.agree([&] {
    if (context.comm.is_root()) text = io::json_text(run_measures(context, request, folder));
  });
  return json::parse(context.comm.broadcast_string(text));
}

}  // namespace aetos::analysis
