#pragma once

#include <string>

#include "aetos/config/stage_options.hpp"

namespace aetos::pipeline::campaign {

/// The job script of a campaign: an array over the folders that a list names.
/// jobs/array_over_particles.sbatch is this text for `program` build/release/bin/aetos and 32 ranks; a test
/// keeps the two the same.
std::string job_script(const config::SlurmOptions& slurm, int max_retries, const std::string& program);

/// The script of the job that writes the table when the arrays have ended.
std::string collector_script(const config::SlurmOptions& slurm, const std::string& program,
                             const std::string& folder);

/// Text that a shell reads as one word, whatever stands in it.
std::string shell_word(const std::string& text);

}  // namespace aetos::pipeline::campaign
