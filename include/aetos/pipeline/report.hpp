#pragma once

#include <filesystem>

namespace aetos::pipeline {

/// Writes `run_dir`/report.html: one self-contained page (no network; one script, which turns the view of the
/// atoms) with the pictures and numbers of a run, made from the files that are in the folder alone. What did
/// not run is left out; a folder with nothing of a run in it is an InputError. Serial: one rank calls it. The
/// page appears under its name only when complete.
void write_report(const std::filesystem::path& run_dir);

}  // namespace aetos::pipeline
