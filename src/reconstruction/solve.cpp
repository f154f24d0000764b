#include "solve.hpp"

#include <fmt/format.h>

#include <chrono>

#include "aetos/core/error.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/progress.hpp"

namespace aetos::reconstruction {
namespace {

using tomography::RFactors;
using tomography::RowSums;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPlanes = 16;  ///< back-projected at once: the gradient never needs a whole volume
constexpr int kReports = 10;         ///< lines with R in a run

class Solver {
 public:
  Solver(const RunContext& context, const Problem& problem, State& state)
      : context_(context),
        problem_(problem),
        state_(state),
        projector_(tomography::make_projector(problem.plan.geometry, problem.options.projector,
                                              problem.options.oversampling)),
        residual_(problem.measured.shape()) {
    // Momentum needs dt <= 1 / L, half of what plain gradient descent bears.
    const double step = problem.plan.accelerated ? problem.options.step / 2 : problem.options.step;
    dt_ = tomography::step_length(step, problem.plan.geometry.angles.size(),
                                  problem.plan.geometry.volume_px[0]);
  }

  /// Residual of a volume, for all projections, and its R-factors.
  RFactors project(View<const float, 3> volume) {
    const Range projections = problem_.mine.projections;
    const auto part = [&](auto array) {
      const std::size_t size = array.extent(1) * array.extent(2);
      return decltype(array)(array.data() + projections.begin * size,
                             {projections.size(), array.extent(1), array.extent(2)});
    };
    if (!projections.empty()) projector_->forward(volume, projections.begin, part(residual_.view()));
    Array<RowSums, 2> sums({projections.size(), problem_.mine.image_rows.size()});
    tomography::subtract_measured(part(residual_.view()), part(problem_.measured), sums);
    return tomography::r_factors(all_sums(std::move(sums)));
  }

  void iterate() {
    const RFactors before = project(problem_.plan.accelerated ? state_.point : state_.u);
    state_.r_history.push_back(before.mean_r1);
    const double momentum = problem_.plan.accelerated ? state_.momentum.next(before.objective) : 0;
    const Range planes = problem_.mine.planes;
    const std::size_t nx = state_.u.extent(1), rows = state_.u.extent(2);
    for (std::size_t z = planes.begin; z < planes.end; z += kPlanes) {
      Array<float, 3> gradient({std::min(kPlanes, planes.end - z), nx, rows});
      projector_->back(residual_, z, gradient);
      if (problem_.plan.accelerated)
        tomography::accelerated_step(state_.u, state_.point, z, gradient, dt_, momentum,
                                     problem_.constraints);
      else
        tomography::gradient_step(state_.u, z, gradient, dt_, problem_.constraints);
    }
    if (problem_.mine.whole) {
      share_items(context_.comm, state_.u.view(), planes);
      if (problem_.plan.accelerated) share_items(context_.comm, state_.point.view(), planes);
    }
    ++state_.iteration;
  }

 private:
  /// The sums of all rows of all projections, in the order of their indices, on every rank.
  Array<RowSums, 2> all_sums(Array<RowSums, 2> mine) {
    const Communicator& comm = context_.comm;
    const std::size_t rows = problem_.plan.geometry.nv;
    if (!problem_.mine.whole) return gather_rows<RowSums>(comm, mine.view(), rows);
    share_items(comm, residual_.view(), problem_.mine.projections);
    Array<RowSums, 2> all({problem_.plan.geometry.angles.size(), rows});
    std::copy(mine.begin(), mine.end(), all.data() + problem_.mine.projections.begin * rows);
    share_items(comm, all.view(), problem_.mine.projections);
    return all;
  }

  const RunContext& context_;
  const Problem& problem_;
  State& state_;
  std::unique_ptr<tomography::ProjectorPair> projector_;
  Array<float, 3> residual_;
  double dt_ = 0;
};

/// Decides together, after each iteration, whether to save and whether to stop.
class Watch {
 public:
  explicit Watch(const RunContext& context) : context_(context), last_(Clock::now()) {}
  bool must_stop() const { return context_.stop.agreed(context_.comm); }
  bool save_is_due() const {
    const double elapsed = std::chrono::duration<double>(Clock::now() - last_).count();
    return context_.comm.broadcast_value(elapsed >= context_.checkpoint_interval_s);
  }
  void saved() { last_ = Clock::now(); }

 private:
  const RunContext& context_;
  Clock::time_point last_;
};

}  // namespace

RFactors solve(const RunContext& context, const Problem& problem, State& state) {
  const int iterations = problem.options.iterations, every = std::max(1, iterations / kReports);
  Solver solver(context, problem, state);
  Watch watch(context);
  Progress progress("iterations", iterations, state.iteration);
  while (state.iteration < iterations) {
    solver.iterate();
    if (state.iteration % every == 0 || state.iteration == 1)
      log::info("  iteration {} of {}: R {:.6f} before its update", state.iteration, iterations,
                state.r_history.back());
    progress.update(state.iteration);
    const bool stop = watch.must_stop(), last = state.iteration == iterations;
    if (stop || last || watch.save_is_due()) {
      write_checkpoint(context, problem.plan, problem.mine, state, !last);
      watch.saved();
    }
    if (stop && !last)
      throw Interrupted(fmt::format("stopped by {} after iteration {} of {}; --resume goes on from there",
                                    context.stop.reason(), state.iteration, iterations));
  }
  progress.finish();
  return solver.project(state.u);
}

}  // namespace aetos::reconstruction
