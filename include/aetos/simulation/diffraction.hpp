#pragma once

#include <cstddef>
#include <filesystem>
#include <map>

#include "aetos/parallel/journal.hpp"
#include "aetos/simulation/error_budget.hpp"
#include "aetos/simulation/plan.hpp"
#include "aetos/simulation/window.hpp"

/// The patterns of pixelated detectors (4D-STEM), beside the images.
namespace aetos::simulation {

/// Whether any pixelated detector is read at a tilt.
bool reads_cameras(const Plan& plan, std::size_t tilt);
/// Values of one probe in a work item: the channels of the images, those of the cameras where they are read,
/// and the transmitted intensity last.
std::size_t item_channels(const Plan& plan, std::size_t tilt);
/// Size of all patterns, clean and noisy, on disk.
double diffraction_bytes(const Plan& plan);

/// Writes the patterns of every camera at every tilt where it is read, averaged over configurations, at every
/// pixel of the images; with an exposure the noisy ones beside. The source size is not applied. Tiles are
/// dealt to the ranks, which hold one at a time. Collective; throws ResourceError if an item is missing.
void write_diffraction(const RunContext& context, const Request& request, const Plan& plan,
                       const Window& window, const std::optional<ErrorBudget>& budget,
                       const std::map<Journal::Key, Journal::Place>& finished,
                       const std::filesystem::path& file);

}  // namespace aetos::simulation
