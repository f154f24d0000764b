#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "aetos/simulation/trials.hpp"

/// How far the images of a simulation are from converged ones, measured on sample probes.
namespace aetos::simulation {

/// Relative RMS errors, one of each kind by detector.
struct ErrorBudget {
  std::vector<std::string> detectors;  ///< that make images
  DetectorErrors window;               ///< against the whole cell
  DetectorErrors slice;                ///< against slices half as thick
  DetectorErrors sampling;             ///< against `converged_A`
  DetectorErrors
      phonons;           ///< of the mean over the configurations: their spread over the root of their number
  DetectorErrors total;  ///< the root of the sum of squares
  double converged_A = 0;  ///< converged_sampling_A of the simulation's own
  std::size_t probes = 0;
  std::uint64_t wave_slices = 0;  ///< spent on this rank
};

/// Samplings of 0.05 Å and more are compared with half of them, finer ones with the converged one; the rest
/// of the way follows from errors that go with the square of the sampling (docs/performance.md).
double finer_sampling_A(double sampling_A);
/// The distance of the simulation's own sampling, whose signals are `own`, to converged_sampling_A.
/// Collective.
DetectorErrors sampling_errors(Trials& trials, const std::vector<float>& own);

struct PlannedBudget {
  std::size_t groups = 0;  ///< of sample probes; 0: there will be no budget
  double operations = 0;   ///< on all ranks together (tile_operations)
  double bytes = 0;        ///< that a rank holds at most
  std::string why_not;
};

/// What a budget will take where multislice.error_budget asks for it: `auto` does if at least two groups of
/// sample probes take at most 3 % of the simulation's arithmetic, and no more memory than the simulation or
/// 1 GiB. Depends on the request alone. None otherwise, and where no probe feels an atom.
PlannedBudget plan_error_budget(const Request& request, const Plan& plan, const Window& window);

/// Measures it; nothing where none is planned, and `why_not` says the reason. Throws Interrupted on all ranks
/// at a stop request. Collective.
std::optional<ErrorBudget> measure_error_budget(const Communicator& comm, const Stop& stop,
                                                const Request& request, const Plan& plan,
                                                const Window& window, std::string& why_not);

/// One line for the log.
std::string describe(const ErrorBudget& budget);
nlohmann::json to_json(const ErrorBudget& budget);

}  // namespace aetos::simulation
