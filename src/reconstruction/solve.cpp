#include "solve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "aetos/core/error.hpp"
#include "aetos/core/fault.hpp"
#include "aetos/core/log.hpp"
#include "aetos/core/progress.hpp"
#include "methods.hpp"
#include "misfit.hpp"

namespace aetos::reconstruction {
namespace {

using tomography::RFactors;
using Clock = std::chrono::steady_clock;

constexpr int kReports = 10;  ///< lines with R in a run

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

/// The rules that end a run before its last iteration.
class Rules {
 public:
  Rules(const Communicator& comm, const Problem& problem, const Problem* held_out)
      : comm_(comm), problem_(problem), options_(problem.options) {
    if (held_out && options_.patience > 0) judge_.emplace(comm, *held_out);
  }
  void before(const State& state) {
    if (options_.relative_change > 0) last_ = state.u.clone();
  }
  /// Whether to stop after this step; says why.
  bool met(State& state) {
    if (judge_) {
      state.r_free.push_back(judge_->project(state.u).mean_r1);
      const auto best = std::min_element(state.r_free.begin(), state.r_free.end());
      if (state.r_free.end() - best > options_.patience) {
        log::info(
            "  stopped after iteration {}: R of the held-out projections was lowest {} steps ago, {:.6f}",
            state.iteration, state.r_free.end() - 1 - best, *best);
        return true;
      }
    }
    if (options_.relative_change <= 0) return false;
    const double change = relative_change(state.u);
    if (change >= options_.relative_change) return false;
    log::info("  stopped after iteration {}: the volume changed by {:.3g}", state.iteration, change);
    return true;
  }

 private:
  /// 2-norm of the last change over that of the volume, summed row by row: the same on any number of ranks.
  double relative_change(const Array<float, 3>& u) const {
    struct Sums {
      double change = 0, whole = 0;
    };
    const Decomposition& mine = problem_.mine;
    const std::size_t stride = u.extent(2), offset = mine.owned_rows.begin - mine.held_rows.begin;
    Array<Sums, 2> rows({1, mine.owned_rows.size()});
    for (std::size_t column = 0; column < u.extent(0) * u.extent(1); ++column)
      for (std::size_t y = 0; y < rows.extent(1); ++y) {
        const double now = u.data()[column * stride + offset + y];
        const double change = now - static_cast<double>(last_.data()[column * stride + offset + y]);
        rows(0, y).change += change * change;
        rows(0, y).whole += now * now;
      }
    const auto all = gather_rows<Sums>(comm_, rows.view(), problem_.plan.geometry.volume_px[1]);
    Sums total;
    for (const Sums& row : all) {
      total.change += row.change;
      total.whole += row.whole;
    }
    return total.whole > 0 ? std::sqrt(total.change / total.whole) : 0;
  }

  const Communicator& comm_;
  const Problem& problem_;
  const tomography::ReconstructOptions& options_;
  std::optional<Misfit> judge_;
  Array<float, 3> last_;
};

void iterate(const RunContext& context, const Problem& problem, State& state, const Judges& judges) {
  const int iterations = problem.plan.iterations, every = std::max(1, iterations / kReports);
  const auto method = make_method(context.comm, problem);
  Watch watch(context);
  Rules rules(context.comm, problem, judges.held_out);
  std::optional<Progress> progress;
  if (!judges.quiet) progress.emplace("iterations", iterations, state.iteration);
  for (bool more = state.iteration < iterations; more;) {
    fault::point("reconstruct-iteration");
    const int before = state.iteration;
    rules.before(state);
    more = method->advance(state, iterations) && state.iteration < iterations;
    more = !rules.met(state) && more;
    if (!judges.quiet && (state.iteration / every > before / every || before == 0))
      log::info("  iteration {} of {}: R {:.6f} before its update", state.iteration, iterations,
                state.r_history.back());
    if (progress) progress->update(state.iteration);
    const bool stop = watch.must_stop();
    if (judges.checkpoints && (stop || !more || watch.save_is_due())) {
      write_checkpoint(context, problem.plan, problem.mine, state, more);
      watch.saved();
    }
    if (stop && more)
      throw Interrupted(fmt::format("stopped by {} after iteration {} of {}", context.stop.reason(),
                                    state.iteration, iterations));
  }
  if (progress) progress->finish();
}

}  // namespace

RFactors solve(const RunContext& context, const Problem& problem, State& state, const Judges& judges) {
  iterate(context, problem, state, judges);
  return Misfit(context.comm, problem).project(state.u);
}

}  // namespace aetos::reconstruction
