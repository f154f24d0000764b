#include "aetos/simulation/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "aetos/core/error.hpp"
#include "aetos/core/version.hpp"
#include "aetos/multislice/detector.hpp"
#include "aetos/simulation/diffraction.hpp"
#include "aetos/simulation/series_metadata.hpp"
#include "aetos/simulation/work_items.hpp"

namespace aetos::simulation {
namespace {

using Finished = std::map<Journal::Key, Journal::Place>;

/// Mean over the configurations of every channel at every probe: (channel, y, x).
Array<double, 3> mean_signals(const Plan& plan, const Finished& finished, std::size_t tilt,
                              std::size_t channels) {
  Array<double, 3> mean({channels, plan.scan.probes_y(), plan.scan.probes_x()});
  const double share = 1 / static_cast<double>(plan.configurations());
  const std::size_t stride = item_channels(plan, tilt);
  for (std::size_t c = 0; c < plan.configurations(); ++c)
    for (std::size_t i = 0; i < plan.tiles.size(); ++i) {
      const auto& tile = plan.tiles[i];
      const auto values = read_item(finished, {tilt, c, i}, tile.probes() * stride);
      const float* value = values.data();
      for (std::size_t y = tile.y_begin; y < tile.y_end; ++y)
        for (std::size_t x = tile.x_begin; x < tile.x_end; ++x, value += stride)
          for (std::size_t k = 0; k < channels; ++k)
            mean(k, y, x) += share * static_cast<double>(k + 1 < channels ? value[k] : value[stride - 1]);
    }
  return mean;
}

/// From what every probe transmitted.
BandLimitLoss loss_of(View<const double, 2> transmitted) {
  BandLimitLoss loss;
  for (const double t : transmitted) {
    loss.mean += (1 - t) / static_cast<double>(transmitted.size());
    loss.largest = std::max(loss.largest, 1 - t);
  }
  return loss;
}

}  // namespace

std::vector<float> read_item(const Finished& finished, const WorkItem& item, std::size_t count) {
  const auto place = finished.find(key_of(item));
  if (place == finished.end())
    throw ResourceError(
        fmt::format("the journal lacks tile {} of tilt {}, configuration {}; run again with --resume",
                    item.tile, item.tilt, item.configuration));
  const auto bytes = Journal::read(place->second);
  if (bytes.size() != count * sizeof(float))
    throw ResourceError(fmt::format("{}: a record of {} bytes where {} were expected",
                                    place->second.file.string(), bytes.size(), count * sizeof(float)));
  std::vector<float> values(count);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::vector<BandLimitLoss> write_series(const RunContext& context, const Request& request, const Plan& plan,
                                        const Window& window, const std::optional<ErrorBudget>& budget,
                                        const Finished& finished, const std::filesystem::path& file) {
  const auto signals = signals_of(plan);
  const std::size_t channels = multislice::channel_layout(plan.imaging).count;
  io::TiltSeriesWriter writer(context.comm, file, series_info(request, plan, window, budget, signals),
                              io::provenance_of(context));
  const auto ranks = static_cast<std::size_t>(context.comm.size());
  std::vector<BandLimitLoss> losses;
  for (std::size_t first = 0; first < request.tilts.size(); first += ranks) {
    const std::size_t tilt = first + static_cast<std::size_t>(context.comm.rank());
    const bool have = tilt < request.tilts.size();
    const std::vector<std::size_t> mine = have ? std::vector<std::size_t>{tilt} : std::vector<std::size_t>{};
    Array<double, 3> mean;
    context.comm.agree([&] {
      if (have) mean = mean_signals(plan, finished, tilt, channels);
    });
    // Ranks hold consecutive tilts, and those behind the last none.
    std::vector<BandLimitLoss> of_mine;
    if (have) of_mine.push_back(loss_of(mean[channels - 1]));
    const auto of_all = context.comm.all_gather(std::span<const BandLimitLoss>(of_mine));
    losses.insert(losses.end(), of_all.begin(), of_all.end());
    for (std::size_t s = 0; s < signals.size(); ++s) {
      const auto names = image_names(request, plan, signals[s]);
      std::vector<Array<float, 3>> images;
      if (have) images = TiltImages(request, plan, signals, mean.view(), tilt).of(s);
      for (std::size_t k = 0; k < names.size(); ++k)
        writer.write(names[k], mine,
                     have ? images[k].view() : View<float, 3>(nullptr, {0, plan.scan.ny, plan.scan.nx}));
    }
  }
  writer.commit();
  return losses;
}

nlohmann::json to_json(const std::vector<BandLimitLoss>& losses) {
  nlohmann::json json = {{"mean", nlohmann::json::array()}, {"largest", nlohmann::json::array()}};
  for (const auto& loss : losses) {
    json["mean"].push_back(loss.mean);
    json["largest"].push_back(loss.largest);
  }
  return json;
}

}  // namespace aetos::simulation
