#include <algorithm>
#include <numeric>

#include "aetos/core/log.hpp"
#include "methods.hpp"
#include "misfit.hpp"

namespace aetos::reconstruction {
namespace {

using tomography::RowSums;

/// One projection's misfit alone has the Lipschitz constant nz: longer steps would go beyond its mirror
/// image.
constexpr double kLongestStep = 2;

}  // namespace

std::vector<std::vector<std::size_t>> deal_subsets(const std::vector<EulerAngles>& angles,
                                                   std::size_t subsets) {
  std::vector<std::size_t> by_angle(angles.size());
  std::iota(by_angle.begin(), by_angle.end(), std::size_t{0});
  std::stable_sort(by_angle.begin(), by_angle.end(),
                   [&](std::size_t a, std::size_t b) { return angles[a].theta_deg < angles[b].theta_deg; });
  std::size_t stride = static_cast<std::size_t>(0.382 * static_cast<double>(subsets) + 0.5);
  stride = std::max<std::size_t>(stride, 1);
  while (std::gcd(stride, subsets) != 1) ++stride;
  std::vector<std::vector<std::size_t>> dealt(subsets);
  for (std::size_t k = 0; k < subsets; ++k)
    for (std::size_t i = k * stride % subsets; i < by_angle.size(); i += subsets)
      dealt[k].push_back(by_angle[i]);
  return dealt;
}

namespace {

class OrderedSubsets final : public Method {
 public:
  OrderedSubsets(const Communicator& comm, const Problem& problem)
      : comm_(comm),
        problem_(problem),
        subsets_(deal_subsets(problem.plan.geometry.angles, problem.plan.subsets)) {}

  bool advance(State& state, int) override {
    Array<RowSums, 2> sums({problem_.plan.geometry.angles.size(), problem_.plan.geometry.nv});
    for (const auto& subset : subsets_) take(subset, state, sums);
    const auto seen = tomography::r_factors(sums);
    state.r_history.push_back(seen.mean_r1);
    guard(state, seen.objective);
    ++state.iteration;
    ++state.passes;
    return true;
  }

 private:
  /// One step on the misfit of one subset.
  void take(const std::vector<std::size_t>& subset, State& state, Array<RowSums, 2>& sums) {
    const bool accelerated = problem_.plan.accelerated;
    Misfit misfit(comm_, problem_, subset);
    misfit.project(accelerated ? state.point : state.u);
    const std::size_t rows = sums.extent(1);
    for (std::size_t i = 0; i < subset.size(); ++i)
      std::copy_n(misfit.sums().data() + i * rows, rows, sums.data() + subset[i] * rows);
    const double step =
        state.relaxation * std::min(problem_.options.step, kLongestStep) / (accelerated ? 2 : 1);
    const double dt = tomography::step_length(step, subset.size(), problem_.plan.geometry.volume_px[0]);
    const double momentum = accelerated ? state.momentum.advance() : 0;
    misfit.gradient([&](std::size_t z, View<const float, 3> gradient) {
      if (accelerated)
        tomography::accelerated_step(state.u, state.point, z, gradient, dt, momentum, problem_.constraints);
      else
        tomography::gradient_step(state.u, z, gradient, dt, problem_.constraints);
    });
    share_planes(comm_, problem_, state);
  }

  /// Subsets that disagree (noise, too much momentum) can drive one another round or apart. When the misfit
  /// that a pass saw grew, momentum starts afresh and steps become half as long.
  void guard(State& state, double objective) {
    auto& momentum = state.momentum;
    if (momentum.started && !(objective <= momentum.last_objective)) {
      momentum.t = 1;
      state.relaxation /= 2;
      log::info("  iteration {}: the misfit grew; steps are now {} of their length", state.iteration + 1,
                state.relaxation);
    }
    momentum.started = true;
    momentum.last_objective = objective;
  }

  const Communicator& comm_;
  const Problem& problem_;
  std::vector<std::vector<std::size_t>> subsets_;
};

}  // namespace

std::unique_ptr<Method> make_ordered_subsets(const Communicator& comm, const Problem& problem) {
  return std::make_unique<OrderedSubsets>(comm, problem);
}

}  // namespace aetos::reconstruction
