#include "solve.hpp"

#include <fmt/format.h>

#include <chrono>

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

void iterate(const RunContext& context, const Problem& problem, State& state) {
  const int iterations = problem.plan.iterations, every = std::max(1, iterations / kReports);
  const auto method = make_method(context.comm, problem);
  Watch watch(context);
  Progress progress("iterations", iterations, state.iteration);
  for (bool more = state.iteration < iterations; more;) {
    fault::point("reconstruct-iteration");
    const int before = state.iteration;
    more = method->advance(state, iterations) && state.iteration < iterations;
    if (state.iteration / every > before / every || before == 0)
      log::info("  iteration {} of {}: R {:.6f} before its update", state.iteration, iterations,
                state.r_history.back());
    progress.update(state.iteration);
    const bool stop = watch.must_stop();
    if (stop || !more || watch.save_is_due()) {
      write_checkpoint(context, problem.plan, problem.mine, state, more);
      watch.saved();
    }
    if (stop && more)
      throw Interrupted(fmt::format("stopped by {} after iteration {} of {}; --resume goes on from there",
                                    context.stop.reason(), state.iteration, iterations));
  }
  progress.finish();
}

}  // namespace

RFactors solve(const RunContext& context, const Problem& problem, State& state) {
  iterate(context, problem, state);
  return Misfit(context.comm, problem).project(state.u);
}

}  // namespace aetos::reconstruction
