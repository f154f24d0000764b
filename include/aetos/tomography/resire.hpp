#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/tomography/projector.hpp"

/// The step of RESIRE (Pham et al., Sci. Rep. 13, 5624 (2023)), u <- max(0, u - dt sum_i P_i'(P_i u - b_i)),
/// and its R-factors. Arrays as the projectors have them: volume (z, x, padded y), images (projection, u,
/// padded v).
namespace aetos::tomography {

/// |Pu - b| and |b| of one row of one projection, summed over its pixels, and the squares of both.
struct RowSums {
  double residual_l1 = 0, data_l1 = 0, residual_l2 = 0, data_l2 = 0;
};

/// images <- images - measured. sums (projection, v) gets the sums of every row v < sums.extent(1).
void subtract_measured(View<float, 3> images, View<const float, 3> measured, View<RowSums, 2> sums);

/// How well the projections of a volume match the measured ones.
struct RFactors {
  std::vector<double> r1,
      r2;  ///< per projection: sum|Pu - b| / sum|b| and its 2-norms; NaN where b is all zero
  double mean_r1 = 0, mean_r2 = 0;  ///< over the projections that have one; NaN if none has
  double objective = 0;             ///< half the sum of squares of Pu - b
};
/// From the sums of all rows of all projections, (projection, row), added in the order of their indices.
RFactors r_factors(View<const RowSums, 2> sums);

/// dt = step / (number of projections x size along the beam).
double step_length(double step, std::size_t projections, std::size_t nz);

/// Constraints on the volume: no negative values; nothing where `inside` (z, x, padded y) is zero (empty: no
/// support).
struct Constraints {
  bool nonnegative = true;
  View<const std::uint8_t, 3> inside;
};

/// u <- constrained(u - dt gradient) on planes `first_plane`, ... of u.
void gradient_step(View<float, 3> u, std::size_t first_plane, View<const float, 3> gradient, double dt,
                   const Constraints& constraints);

/// The accelerated step (FISTA: Beck & Teboulle 2009, eq. 4.1-4.3). v is the extrapolated point whose
/// gradient is given: u_new = constrained(v - dt gradient), v <- u_new + momentum (u_new - u), u <- u_new.
void accelerated_step(View<float, 3> u, View<float, 3> v, std::size_t first_plane,
                      View<const float, 3> gradient, double dt, double momentum,
                      const Constraints& constraints);

/// The sequence of momenta, restarted when the objective grew (O'Donoghue & Candes 2015, function scheme).
struct Momentum {
  double t = 1;
  double last_objective = 0;
  bool started = false;
  /// The factor of the step whose gradient was taken where the objective is this.
  double next(double objective);
  /// The factor of the next step, without a restart.
  double advance();
};

}  // namespace aetos::tomography
