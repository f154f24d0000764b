#pragma once

#include <string>
#include <vector>

#include "aetos/parallel/stop.hpp"
#include "aetos/pipeline/campaign_status.hpp"

namespace aetos::pipeline::campaign {

/// Members to start: neither done, nor queued, nor impossible, nor failed more often than max_retries allows.
std::vector<std::size_t> startable(const Campaign& campaign, const std::vector<MemberStatus>& members);

/// Submits what is startable as job arrays of at most MaxArraySize members, so that no index goes beyond the
/// limit, in smaller ones where the user may not have so many jobs; then one job that writes the table when
/// they have ended. Each array's number is on disk before the next is submitted. Returns what was said to
/// people. Throws ResourceError, which lists what was submitted, if sbatch refuses, or if SLURM cannot say
/// what is queued.
std::string submit(const Campaign& campaign);

/// Runs what is startable on this machine, `ranks` ranks each, one member after the other. Goes on after one
/// that fails, and starts it again up to max_retries times. Throws Interrupted when told to stop.
std::string run_locally(const Campaign& campaign, int ranks, const Stop& stop);

/// The largest array that SLURM takes; 1001, its default, where it does not say.
std::size_t max_array_size();

}  // namespace aetos::pipeline::campaign
