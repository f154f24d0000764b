#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace aetos::tracing {

/// Value and gradient (overwritten) of what is minimised.
using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

struct MinimiserOptions {
  int iterations = 60;
  double tolerance = 1e-6;  ///< stops when five iterations lower the value by less than this share
};

struct MinimiserResult {
  double first = 0, last = 0;
  int iterations = 0;
};

/// Minimises within bounds by PETSc TAO's BLMVM (limited-memory variable metric, Benson and Moré 2001) on
/// this process alone. `x` holds the start and then the result. What the objective throws comes out as
/// thrown; other failures of PETSc are ResourceErrors.
MinimiserResult minimise_bounded(const Objective& objective, std::vector<double>& x,
                                 const std::vector<double>& lower, const std::vector<double>& upper,
                                 const MinimiserOptions& options);

}  // namespace aetos::tracing
