#pragma once

#include <filesystem>

namespace aetos::pipeline {

/// Writes `run_dir`/run.xdmf, by which ParaView and VisIt show the volume (from volume.h5, in Å about the
/// rotation centre) and the atoms (atoms.extxyz) together. Returns whether there was anything to show.
/// Serial: one rank calls it.
bool write_xdmf(const std::filesystem::path& run_dir);

}  // namespace aetos::pipeline
