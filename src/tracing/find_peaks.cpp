#include "find_peaks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "aetos/atoms/neighbours.hpp"
#include "aetos/core/error.hpp"

namespace aetos::tracing {
namespace {

/// Sigma of the Gaussian that the search smooths with: noise between voxels goes, atoms 1.5 Å apart stay
/// apart.
constexpr double kSmoothing_A = 0.25;
/// Where noise is as high as atoms: about an atom's own sigma, a matched filter, or less where atoms may be
/// nearer to each other than 2 Å.
constexpr double kNoisySmoothing_A = 0.45, kNoisyOfMinDistance = 0.225;
constexpr std::size_t kMedianBins = 4096;

double noisy_smoothing_A(const config::TraceOptions& options) {
  return std::clamp(kNoisyOfMinDistance * options.min_distance_A, kSmoothing_A, kNoisySmoothing_A);
}

PeakOptions in_voxels(const config::TraceOptions& options, double voxel_A, double smoothing_A) {
  return {options.fit_radius_A / voxel_A, options.integration_A / voxel_A, smoothing_A / voxel_A,
          options.interpolation};
}

void refuse_undefined(const Slab& slab, Range own, const std::string& source) {
  const std::size_t plane = slab.volume[1] * slab.volume[2];
  const float* begin = slab.values.data() + (own.begin - slab.first_plane) * plane;
  const float* end = begin + own.size() * plane;
  const float* bad = std::find_if(begin, end, [](float v) { return !std::isfinite(v); });
  if (bad == end) return;
  const std::size_t at = static_cast<std::size_t>(bad - begin) + own.begin * plane;
  throw InputError(source,
                   fmt::format("a voxel that is no finite number at (z, y, x) = ({}, {}, {})", at / plane,
                               at % plane / slab.volume[2], at % slab.volume[2]),
                   "finite numbers");
}

/// Median of the planes that the ranks own, to 1/4096 of the range. Counts are whole numbers: no order
/// matters.
double median(const Communicator& comm, std::span<const float> mine) {
  float low = std::numeric_limits<float>::max(), high = std::numeric_limits<float>::lowest();
  for (const float v : mine) low = std::min(low, v), high = std::max(high, v);
  const double first = comm.min(static_cast<double>(low)), last = comm.max(static_cast<double>(high));
  if (!(last > first)) return first;
  const double width = (last - first) / static_cast<double>(kMedianBins);
  std::vector<std::int64_t> counts(kMedianBins);
  for (const float v : mine)
    ++counts[std::min(kMedianBins - 1, static_cast<std::size_t>((static_cast<double>(v) - first) / width))];
  const auto all = comm.all_gather(std::span<const std::int64_t>(counts));
  std::int64_t total = 0, below = 0;
  for (const auto n : all) total += n;
  for (std::size_t bin = 0; bin < kMedianBins; ++bin) {
    for (std::size_t at = bin; at < all.size(); at += kMedianBins) below += all[at];
    if (2 * below >= total) return first + static_cast<double>(bin) * width;
  }
  return last;
}

bool at_border(const Maximum& m, const std::array<std::size_t, 3>& volume) {
  for (std::size_t a = 0; a < 3; ++a)
    if (m.voxel[a] == 0 || m.voxel[a] + 1 == static_cast<std::int64_t>(volume[a])) return true;
  return false;
}

bool stronger(const Peak& a, const Peak& b) {
  return a.smoothed != b.smoothed ? a.smoothed > b.smoothed : a.centre < b.centre;
}

/// Takes out peaks nearer than a distance to a stronger one that stays, and returns them. `peaks` are ordered
/// strongest first.
std::vector<Peak> keep_apart(std::vector<Peak>& peaks, double distance) {
  std::vector<Vec3> places;
  for (const auto& p : peaks) places.emplace_back(p.centre[2], p.centre[1], p.centre[0]);
  const atoms::NeighbourSearch search(places);
  std::vector<bool> dropped(peaks.size());
  std::vector<Peak> kept, lost;
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    (dropped[i] ? lost : kept).push_back(peaks[i]);
    if (dropped[i]) continue;
    for (const auto& n : search.within(places[i], distance))
      if (n.index > i && n.distance_A < distance) dropped[n.index] = true;
  }
  peaks = std::move(kept);
  return lost;
}

PeakSearch search(const Communicator& comm, const Slab& slab, Range own, double voxel_A,
                  const config::TraceOptions& options, double smoothing_A) {
  const PeakOptions in = in_voxels(options, voxel_A, smoothing_A);
  const Array<float, 3> smoothed = smooth(slab, in.smoothing);
  const Slab view{smoothed.view(), slab.first_plane, slab.volume};
  const std::size_t plane = slab.volume[1] * slab.volume[2];
  const std::span<const float> mine(smoothed.data() + (own.begin - slab.first_plane) * plane,
                                    own.size() * plane);

  PeakSearch result;
  result.background = median(comm, mine);
  std::size_t plateaus = 0;
  const auto heights = heights_of_maxima(view, own, static_cast<float>(result.background), plateaus);
  const auto all_heights = comm.all_gather(std::span<const float>(heights));
  result.threshold =
      find_threshold(all_heights, result.background, std::max<std::size_t>(1, options.species.size()));
  if (result.threshold.noisy && !options.threshold && smoothing_A < noisy_smoothing_A(options))
    return search(comm, slab, own, voxel_A, options, noisy_smoothing_A(options));
  if (options.threshold) result.threshold.value = *options.threshold;
  result.smoothing_A = smoothing_A;

  const std::int64_t low = std::count_if(heights.begin(), heights.end(), [&](float height) {
    return static_cast<double>(height) <= result.threshold.value;
  });
  std::int64_t border = 0;
  std::vector<Peak> peaks;
  std::vector<RejectedPeak> rejected;
  const double worth_keeping = (result.threshold.value + result.background) / 2;
  // Just below what is of interest, however that is rounded.
  const auto interest = static_cast<float>(std::min(worth_keeping, result.threshold.value));
  const float floor = std::max(static_cast<float>(result.background),
                               std::nextafter(interest, std::numeric_limits<float>::lowest()));
  std::size_t again = 0;
  for (const auto& m : local_maxima(view, own, floor, again)) {
    const auto height = static_cast<double>(m.height);
    if (height <= result.threshold.value) {
      if (height > worth_keeping)
        rejected.push_back({RejectedPeak::Reason::below_threshold, m.centre, height});
    } else if (at_border(m, slab.volume)) {
      ++border;
      rejected.push_back({RejectedPeak::Reason::at_border, m.centre, height});
    } else {
      peaks.push_back(fit_peak(slab, view, m, in));
    }
  }
  result.peaks = comm.all_gather(std::span<const Peak>(peaks));
  std::sort(result.peaks.begin(), result.peaks.end(), stronger);
  result.rejected["below_threshold"] = static_cast<std::size_t>(comm.sum(low));
  result.rejected["at_border"] = static_cast<std::size_t>(comm.sum(border));
  result.rejected["plateau"] = static_cast<std::size_t>(comm.sum(static_cast<std::int64_t>(plateaus)));
  result.rejected_peaks = comm.all_gather(std::span<const RejectedPeak>(rejected));
  const auto too_close = keep_apart(result.peaks, options.min_distance_A / voxel_A);
  result.rejected["too_close"] = too_close.size();
  for (const Peak& p : too_close)
    result.rejected_peaks.push_back({RejectedPeak::Reason::too_close, p.centre, p.smoothed});
  return result;
}

}  // namespace

std::size_t search_halo(const config::TraceOptions& options, double voxel_A) {
  return halo_planes(in_voxels(options, voxel_A, noisy_smoothing_A(options)));
}

PeakSearch find_peaks(const Communicator& comm, const std::string& source, const io::VolumeInfo& info,
                      double voxel_A, const config::TraceOptions& options) {
  const auto nz = info.shape[0];
  const Range own =
      block_partition(nz, static_cast<std::size_t>(comm.size()), static_cast<std::size_t>(comm.rank()));
  const std::size_t halo = search_halo(options, voxel_A);
  const Range held{own.empty() ? own.begin : own.begin - std::min(own.begin, halo),
                   own.empty() ? own.begin : std::min(nz, own.end + halo)};
  Array<float, 3> values;
  Slab slab;
  comm.agree([&] {
    if (!held.empty()) values = io::read_volume_planes(source, held);
    slab = {values.view(), held.begin, info.shape};
    refuse_undefined(slab, own, source);
  });
  return search(comm, slab, own, voxel_A, options, kSmoothing_A);
}

}  // namespace aetos::tracing
