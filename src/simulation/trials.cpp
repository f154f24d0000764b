#include "aetos/simulation/trials.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/simulation/rates.hpp"
#include "aetos/simulation/window.hpp"

namespace aetos::simulation {
namespace {

constexpr double kWidestOwnWindow_A = 25.6, kConverged_A = 0.025, kFinerShare = 0.75;

}  // namespace

DetectorErrors scaled(DetectorErrors errors, double factor) {
  for (double& e : errors) e *= factor;
  return errors;
}

PlannedTrials::PlannedTrials(const Request& request, const Plan& plan, std::size_t groups)
    : request_(request), plan_(plan), samples_(draw_samples(request, plan, groups)) {
  own_ = {request.multislice.sampling_A, request.multislice.slice_A,
          std::min(window_width_A(plan, expected_window(request, plan)),
                   std::max(kWidestOwnWindow_A, narrowest_window_A(request, plan)))};
}

Request PlannedTrials::varied(const Setting& setting) const {
  Request request = request_;
  request.multislice.sampling_A = setting.sampling_A;
  request.multislice.slice_A = setting.slice_A;
  request.multislice.window = multislice::WindowWidth{setting.window_A};
  request.detectors = plan_.imaging;
  for (auto& detector : request.detectors)
    if (detector.outer_mrad > 0) detector.outer_mrad = std::min(detector.outer_mrad, plan_.angle_limit_mrad);
  return request;
}

std::vector<float> Trials::signals(const Setting& setting, std::size_t configuration) {
  const Request request = varied(setting);
  const Plan plan = make_plan(request);
  return sample_signals(comm_, stop_, request, plan, window_of_width(plan, setting.window_A), samples_,
                        spent_, configuration);
}

DetectorErrors Trials::errors(const std::vector<float>& signals, const std::vector<float>& truth) const {
  DetectorErrors errors;
  for (const auto& error : sample_errors(plan_, samples_, signals, truth)) errors.push_back(error.value);
  return errors;
}

/// The variance of the mean of n configurations is that of single ones over n; both relative to the mean
/// square of the mean. Differences of single ones from the mean of m have (m - 1) / m of their variance.
DetectorErrors Trials::phonon_errors(const std::vector<std::vector<float>>& single,
                                     std::size_t averaged) const {
  std::vector<float> mean(single.front().size());
  const auto m = static_cast<double>(single.size());
  for (const auto& one : single)
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += one[i] / static_cast<float>(m);
  DetectorErrors squares(plan_.imaging.size());
  for (const auto& one : single) {
    const auto from_mean = errors(one, mean);
    for (std::size_t d = 0; d < squares.size(); ++d) squares[d] += from_mean[d] * from_mean[d] / (m - 1);
  }
  for (double& s : squares) s = std::sqrt(s / static_cast<double>(averaged));
  return squares;
}

Window PlannedTrials::window_of(const Setting& setting) const {
  return window_of_width(make_plan(varied(setting)), setting.window_A);
}

double PlannedTrials::width_A(const Setting& setting) const {
  const Plan plan = make_plan(varied(setting));
  return window_width_A(plan, window_of_width(plan, setting.window_A));
}

double PlannedTrials::achieved_sampling_A(const Setting& setting) const {
  const Plan plan = make_plan(varied(setting));
  return std::max(plan.grid.sampling_x_A, plan.grid.sampling_y_A);
}

double PlannedTrials::work(const Setting& setting) const {
  const Plan plan = make_plan(varied(setting));
  return tile_operations(plan, window_of_width(plan, setting.window_A), samples_.probe_count(),
                         samples_.groups.size());
}

double PlannedTrials::memory_bytes(const Setting& setting) const {
  const Request request = varied(setting);
  const Plan plan = make_plan(request);
  return sample_bytes(request, plan, window_of_width(plan, setting.window_A));
}

double converged_sampling_A(double sampling_A) {
  return std::min(kConverged_A, kFinerShare * sampling_A);
}

}  // namespace aetos::simulation
