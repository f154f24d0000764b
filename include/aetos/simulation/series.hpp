#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/journal.hpp"
#include "aetos/simulation/error_budget.hpp"
#include "aetos/simulation/plan.hpp"
#include "aetos/simulation/signals.hpp"
#include "aetos/simulation/window.hpp"
#include "aetos/simulation/work_items.hpp"

/// From finished work items to the tilt series on disk.
namespace aetos::simulation {

/// The payload of a finished item as floats, `count` of them. Throws ResourceError if it is missing or of
/// another size.
std::vector<float> read_item(const std::map<Journal::Key, Journal::Place>& finished, const WorkItem& item,
                             std::size_t count);

/// The share of the beam that the band limit took at one tilt: the mean over all probes, and of the probe
/// that lost most.
struct BandLimitLoss {
  double mean = 0, largest = 0;
};

/// Writes all images, and returns the loss at every tilt, the same on every rank. Whole tilts are dealt to
/// the ranks; each reads its items from the journal, adds up the configurations in their order in double
/// precision, applies the source size on the probes' grid, takes the pixels and adds noise. A rank holds one
/// tilt at a time. Collective; throws ResourceError if an item is missing.
std::vector<BandLimitLoss> write_series(const RunContext& context, const Request& request, const Plan& plan,
                                        const Window& window, const std::optional<ErrorBudget>& budget,
                                        const std::map<Journal::Key, Journal::Place>& finished,
                                        const std::filesystem::path& file);

/// {mean: [...], largest: [...]} by tilt, for the summary.
nlohmann::json to_json(const std::vector<BandLimitLoss>& losses);

}  // namespace aetos::simulation
