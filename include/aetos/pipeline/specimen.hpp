#pragma once

#include <string>
#include <vector>

#include "aetos/atoms/options.hpp"
#include "aetos/atoms/thermal.hpp"
#include "aetos/config/master.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/core/structure.hpp"

namespace aetos::pipeline {

/// A specimen about the rotation centre, with its film, and the displacements of its snapshots.
struct Specimen {
  Structure atoms;
  std::vector<atoms::Snapshot> snapshots;
};

/// Reads the specimen's file, or builds it from the config's seed (or the builder's own), and warns of what
/// is odd.
Specimen make_specimen(const config::Master& master, const std::vector<EulerAngles>& tilts);

/// Every file that decides what a specimen is.
std::vector<std::string> specimen_files(const atoms::SpecimenOptions& options);

/// What a specimen comes from, for messages and metadata: its file's path, or "build: core-shell".
std::string specimen_source(const atoms::SpecimenOptions& options);

}  // namespace aetos::pipeline
