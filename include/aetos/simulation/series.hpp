#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "aetos/io/tilt_series.hpp"
#include "aetos/parallel/journal.hpp"
#include "aetos/simulation/plan.hpp"
#include "aetos/simulation/window.hpp"

/// From finished work items to the tilt series on disk.
namespace aetos::simulation {

/// One kind of image: a channel of the engine, named after its detector.
struct Signal {
  std::string name;  ///< adf; rings_ring_000; com_x
  std::size_t channel = 0;
  bool is_intensity =
      true;  ///< a fraction of the beam, to which noise applies; a centre of mass (mrad) is not
};

/// Signals of the detectors, in their order. Throws InputError if the names of two images would begin alike
/// (`a` and `a_clean`): programs that read EMD files would take them for one.
std::vector<Signal> signals_of(const Plan& plan);
/// The images of a signal: `_clean`, then `_blurred` with a source size, then `_noisy` with an exposure.
std::vector<std::string> image_names(const Request& request, const Plan& plan, const Signal& signal);

/// Writes all images. Whole tilts are dealt to the ranks; each reads its items from the journal, adds up the
/// configurations in their order in double precision, applies the source size on the probes' grid, takes the
/// pixels and adds noise. A rank holds one tilt at a time. Collective; throws ResourceError if an item is
/// missing.
void write_series(const RunContext& context, const Request& request, const Plan& plan, const Window& window,
                  const std::map<Journal::Key, Journal::Place>& finished, const std::filesystem::path& file);

}  // namespace aetos::simulation
