#include "aetos/pipeline/compare_stage.hpp"
#include "aetos/core/fault.hpp"

#include <fmt/format.h>

#include <set>

#include "aetos/analysis/compare.hpp"
#include "aetos/atoms/film.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/atomic_file.hpp"
#include "aetos/io/json_text.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/io/tilt_series.hpp"

namespace aetos::pipeline {
namespace {

/// The species that count: those asked for in `trace`, or those that the traced model has.
std::vector<std::string> counted_species(const Plan& plan, const Structure& traced) {
  if (!plan.config.trace.species.empty()) return plan.config.trace.species;
  std::set<std::string> present;
  for (std::uint8_t z : traced.atomic_number) present.insert(element_symbol(z));
  return {present.begin(), present.end()};
}

/// The tilts of the series, for the missing wedge: from the config, or from the file that was reconstructed.
std::vector<double> tilt_angles(const Plan& plan) {
  if (!plan.tilts.empty()) return plan.thetas();
  const auto series = plan.output / files::tilt_series;
  std::vector<double> thetas;
  if (std::filesystem::exists(series))
    for (const auto& a : io::read_tilt_series_info(series.string()).angles) thetas.push_back(a.theta_deg);
  return thetas;
}

std::string displacement_table(const analysis::Comparison& comparison, const Structure& traced,
                               const Structure& reference) {
  std::string csv = "traced,reference,species,x_A,y_A,z_A,dx_pm,dy_pm,dz_pm,distance_pm\n";
  for (const auto& pair : comparison.pairs) {
    const Vec3& r = traced.position[pair.traced];
    const Vec3 d = 100 * pair.difference_A;
    csv += fmt::format("{},{},{},{:.4f},{:.4f},{:.4f},{:.3f},{:.3f},{:.3f},{:.3f}\n", pair.traced,
                       pair.reference, element_symbol(reference.atomic_number[pair.reference]), r.x(), r.y(),
                       r.z(), d.x(), d.y(), d.z(), d.norm());
  }
  return csv;
}

}  // namespace

nlohmann::json compare_stage(const RunContext& context, const Plan& plan) {
  std::string text;
  context.comm.agree([&] {
    fault::point("compare");
    if (!context.comm.is_root()) return;
    const auto traced = io::read_structure(plan.compare_model());
    const bool own = plan.config.compare.reference == "specimen";
    const Structure reference =
        own ? atoms::without_film(*plan.specimen) : io::read_structure(plan.config.compare.reference);
    const auto comparison =
        analysis::compare(traced, reference, plan.config.compare, counted_species(plan, traced));
    for (const auto& note : comparison.notes) log::info("note: {}", note);
    const auto thetas = tilt_angles(plan);
    const auto details = analysis::details(comparison, traced, reference, thetas);
    io::write_file_atomically(plan.output / files::comparison, io::json_file_of(context, details));
    io::write_file_atomically(plan.output / files::displacements,
                              displacement_table(comparison, traced, reference));
    text = io::json_text(analysis::summarize(comparison, reference, thetas));
  });
  return nlohmann::json::parse(context.comm.broadcast_string(text));
}

}  // namespace aetos::pipeline
