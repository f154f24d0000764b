#include "aetos/pipeline/specimen.hpp"

#include <algorithm>

#include "aetos/analysis/fill_oxygen.hpp"
#include "aetos/atoms/build.hpp"
#include "aetos/atoms/film.hpp"
#include "aetos/atoms/measures.hpp"
#include "aetos/atoms/specimen.hpp"
#include "aetos/core/log.hpp"
#include "aetos/io/structure_files.hpp"
#include "aetos/simulation/scan_grid.hpp"

namespace aetos::pipeline {

namespace {

Structure read_or_build(const atoms::SpecimenOptions& options, std::uint64_t seed) {
  if (!options.build) return io::read_structure(options.file);
  const auto& build = *options.build;
  const std::uint64_t drawn = build.seed.value_or(seed);
  if (build.kind == atoms::BuildKind::fill_oxygen)
    return analysis::fill_oxygen(io::read_structure(build.file), build.occupancy, drawn, build.file);
  return atoms::build_specimen(build, drawn, io::read_structure);
}

/// Half the side of the images, or more: what a film has to cover.
double half_field_A(const config::Master& master, const Structure& particle) {
  double half = atoms::outer_radius(particle) + simulation::kFieldMargin_A;
  if (master.scan.field_A)
    for (double side : *master.scan.field_A) half = std::max(half, side / 2);
  return half;
}

}  // namespace

Specimen make_specimen(const config::Master& master, const std::vector<EulerAngles>& tilts) {
  const auto& options = *master.specimen;
  Specimen specimen;
  specimen.atoms = read_or_build(options, master.seed);
  const std::string& frames = options.thermal.configurations;
  if (!frames.empty())
    specimen.snapshots = atoms::snapshots_of(specimen.atoms, io::read_structure_frames(frames), frames);
  for (const auto& warning : atoms::specimen_warnings(specimen.atoms, options.origin))
    log::warn("{}", warning);
  atoms::place_origin(specimen.atoms, options.origin, specimen_source(options));
  if (options.film)
    atoms::add_film(specimen.atoms, *options.film, master.seed, half_field_A(master, specimen.atoms), tilts);
  return specimen;
}

std::vector<std::string> specimen_files(const atoms::SpecimenOptions& options) {
  std::vector<std::string> files{options.file};
  if (options.build) {
    files.push_back(options.build->file);
    for (const auto* solid :
         {&options.build->crystal, &options.build->core, &options.build->shell, &options.build->second})
      if (*solid) files.push_back((*solid)->file);
  }
  files.push_back(options.thermal.configurations);
  std::erase(files, "");
  return files;
}

std::string specimen_source(const atoms::SpecimenOptions& options) {
  if (!options.build) return options.file;
  switch (options.build->kind) {
    case atoms::BuildKind::slab:
      return "build: slab";
    case atoms::BuildKind::particle:
      return "build: particle";
    case atoms::BuildKind::core_shell:
      return "build: core-shell";
    case atoms::BuildKind::bicrystal:
      return "build: bicrystal";
    case atoms::BuildKind::fill_oxygen:
      return "build: fill-oxygen, " + options.build->file;
  }
  return {};
}

}  // namespace aetos::pipeline
