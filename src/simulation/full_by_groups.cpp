#include "aetos/simulation/full_by_groups.hpp"

#include <algorithm>
#include <utility>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/program_memory.hpp"
#include "aetos/core/progress.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/wave_group.hpp"

namespace aetos::simulation {
namespace {

constexpr double kBytesPerRank = 1024.0 * 1048576;
constexpr std::size_t kLargestAlone_px = 8192;

/// A group and the specimen that its probes pass.
class ProbeGroup {
 public:
  ProbeGroup(const Communicator& group, const Request& request, const Plan& plan,
             const multislice::EngineSettings& settings)
      : group_(group),
        request_(request),
        plan_(plan),
        corner_A_(settings.grid.corner_A),
        grid_{settings.grid.cell_x_px, settings.grid.cell_y_px, settings.grid.sampling_x_A,
              settings.grid.sampling_y_A},
        beam_(group, request.microscope, request.multislice.parametrization, grid_, corner_A_, 1),
        sums_(plan.imaging, grid_, request.microscope.voltage_kV, request.multislice.detector_edges,
              {beam_.columns().begin, beam_.columns().size()}),
        intensity_({beam_.columns().size(), grid_.ny}) {}

  /// Detector values (probe, channel) of a tile, the same on every rank of the group.
  Array<float, 2> simulate(const WorkItem& item) {
    if (!prepared_ || *prepared_ != std::pair(item.tilt, item.configuration)) {
      group_.agree([&] {
        beam_.place_atoms(beam_atoms(request_, plan_, item.tilt, item.configuration),
                          plan_.slices[item.tilt]);
      });
      prepared_.emplace(item.tilt, item.configuration);
    }
    const auto probes = tile_probes(plan_.scan, plan_.tiles[item.tile]);
    const std::size_t channels = multislice::channel_layout(plan_.imaging).count;
    Array<float, 2> out({probes.size(), channels});
    for (std::size_t p = 0; p < probes.size(); ++p) {
      const auto values = values_of(probes[p], item.tilt, channels);
      std::transform(values.begin(), values.end(), out[p].begin(),
                     [](double v) { return static_cast<float>(v); });
    }
    return out;
  }

 private:
  /// Averaged over the focal series before a centre of mass is divided by what is transmitted.
  std::vector<double> values_of(const Vec2& probe, std::size_t tilt, std::size_t channels) {
    const auto& slices = plan_.slices[tilt];
    const bool centre = request_.microscope.focus_reference == multislice::FocusReference::centre;
    const double way = centre ? -static_cast<double>(slices.first) * slices.thickness_A : 0;
    std::vector<double> mine(channels), total(channels), one(channels);
    for (const auto& focus : plan_.focal_series) {
      auto lens = request_.microscope;
      lens.defocus_A += focus.offset_A;
      beam_.pass_probe(lens, lens.defocus_A + way, probe - corner_A_);
      beam_.intensity(intensity_);
      sums_.apply(intensity_, one);
      for (std::size_t c = 0; c < channels; ++c) mine[c] += focus.weight * one[c];
    }
    const auto parts = group_.all_gather(std::span<const double>(mine));
    for (std::size_t i = 0; i < parts.size(); ++i) total[i % channels] += parts[i];
    sums_.finish(total);
    return total;
  }

  const Communicator& group_;
  const Request& request_;
  const Plan& plan_;
  Vec2 corner_A_;
  multislice::FftGrid grid_;
  WaveGroup beam_;
  multislice::DetectorSums sums_;
  Array<float, 2> intensity_;
  std::optional<std::pair<std::size_t, std::size_t>> prepared_;
};

}  // namespace

double full_by_groups_bytes(const Plan& plan, const Window& window, std::size_t ranks) {
  const multislice::FftGrid grid{window.px[1], window.px[0], plan.grid.sampling_x_A, plan.grid.sampling_y_A};
  const double share = static_cast<double>(grid.size()) / static_cast<double>(ranks);
  const auto channels = static_cast<double>(multislice::channel_layout(plan.imaging).count);
  // A weight for each pixel of each channel at most, the band being less than half of them.
  return kProgramBytes + WaveGroup::bytes(grid, ranks) + share * sizeof(float) * (1 + channels / 2) +
         static_cast<double>(plan.sites.atom.size()) * 400;
}

std::size_t ranks_of_full_window(const Request& request, const Window& window, const Plan& plan,
                                 std::size_t available) {
  if (!window.whole) return 1;
  const auto within = [available](std::size_t wanted) {
    std::size_t size = 1;
    while (2 * size <= available) size *= 2;
    return wanted <= available ? wanted : size;
  };
  if (request.multislice.ranks_per_wave)
    return within(static_cast<std::size_t>(*request.multislice.ranks_per_wave));
  if (window.px[0] * window.px[1] <= kLargestAlone_px * kLargestAlone_px) return 1;
  const bool finite = request.multislice.slicing == multislice::Slicing::finite;
  if (finite || !plan.cameras.empty()) return 1;  // what groups cannot do
  std::size_t ranks = 2;
  while (ranks < 1024 && full_by_groups_bytes(plan, window, ranks) > kBytesPerRank) ranks *= 2;
  return within(ranks);
}

std::pair<std::uint64_t, bool> simulate_full_by_groups(const RunContext& context, const Request& request,
                                                       const Plan& plan, const Window& window,
                                                       std::size_t ranks_per_wave,
                                                       const std::vector<WorkItem>& items, Journal& journal,
                                                       EarlyEnd& end) {
  if (request.multislice.slicing == multislice::Slicing::finite)
    throw InputError("multislice.slicing", "finite, of a cell that several ranks share", "projected");
  if (!plan.cameras.empty())
    throw InputError("detectors", "patterns of a probe that several ranks share",
                     "images, or multislice.ranks_per_wave: 1, or a window");
  const std::size_t rank = static_cast<std::size_t>(context.comm.rank()), index = rank / ranks_per_wave;
  const std::size_t groups = static_cast<std::size_t>(context.comm.size()) / ranks_per_wave;
  const Communicator group = context.comm.split(static_cast<int>(index));
  if (index >= groups || index >= items.size()) return {0, false};
  ProbeGroup worker(group, request, plan, engine_settings(request, plan, window.px, true));
  Progress progress("tiles", static_cast<double>(items.size()), 0);
  std::uint64_t wave_slices = 0;
  for (std::size_t i = index; i < items.size(); i += groups) {
    if (group.any(end.is_due())) return {wave_slices, true};
    const auto values = worker.simulate(items[i]);
    group.agree([&] {
      fault::point("simulate-item");
      if (group.is_root()) journal.append(key_of(items[i]), std::as_bytes(values.flat()));
    });
    if (group.is_root())
      wave_slices +=
          plan.tiles[items[i].tile].probes() * plan.slices[items[i].tilt].count * plan.focal_series.size();
    progress.update(static_cast<double>(std::min(i + groups, items.size())));
  }
  progress.finish();
  return {wave_slices, false};
}

}  // namespace aetos::simulation
