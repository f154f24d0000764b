#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "aetos/core/structure.hpp"
#include "aetos/parallel/run_context.hpp"

/// Atom files: extended XYZ as ASE and OVITO read it, plain XYZ, Prismatic's XYZ (read only).
namespace aetos::io {

/// Reads a structure; the format is told from the content. Columns are found by Properties, never by place.
/// The first frame is read, with a note if there are more. Throws InputError with file and line, found and
/// expected.
Structure read_structure(const std::string& path);
/// Every frame of a multi-frame extxyz.
std::vector<Structure> read_structure_frames(const std::string& path);
/// Writes extended XYZ under a final name that appears only when complete.
void write_extxyz(const std::filesystem::path& path, const Structure& structure);
/// As a stage's output: its comment line also names version, seed, fingerprint and config.
void write_extxyz(const RunContext& context, const std::filesystem::path& path, Structure structure);

}  // namespace aetos::io
