#include "aetos/tomography/resire.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aetos::tomography {
namespace {

/// Calls `work(index in u, index in gradient)` for every voxel of the planes, in rows that the compiler
/// vectorises.
template <class Update>
void for_each_voxel(View<float, 3> u, std::size_t first_plane, View<const float, 3> gradient,
                    const Constraints& constraints, const Update& update) {
  const std::size_t start = first_plane * u.extent(1) * u.extent(2), n = gradient.size();
  const float floor = constraints.nonnegative ? 0.0F : -std::numeric_limits<float>::infinity();
  const auto* inside = constraints.inside.empty() ? nullptr : constraints.inside.data() + start;
  if (!inside)
    for (std::size_t i = 0; i < n; ++i) update(start + i, i, floor, 1.0F);
  else
    for (std::size_t i = 0; i < n; ++i) update(start + i, i, floor, inside[i] ? 1.0F : 0.0F);
}

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : std::numeric_limits<double>::quiet_NaN();
}

double mean_of_finite(const std::vector<double>& values) {
  double sum = 0;
  std::size_t n = 0;
  for (double v : values)
    if (std::isfinite(v)) {
      sum += v;
      ++n;
    }
  return ratio(sum, static_cast<double>(n));
}

}  // namespace

void subtract_measured(View<float, 3> images, View<const float, 3> measured, View<RowSums, 2> sums) {
  const std::size_t columns = images.extent(1), padded = images.extent(2), rows = sums.extent(1);
  std::vector<double> r1(rows), b1(rows), r2(rows), b2(rows);
  for (std::size_t p = 0; p < images.extent(0); ++p) {
    for (auto* sum : {&r1, &b1, &r2, &b2}) std::fill(sum->begin(), sum->end(), 0.0);
    for (std::size_t u = 0; u < columns; ++u) {
      float* row = images.data() + (p * columns + u) * padded;
      const float* data = measured.data() + (p * columns + u) * padded;
      for (std::size_t v = 0; v < rows; ++v) {
        const float residual = row[v] - data[v];
        row[v] = residual;
        const double r = residual, b = data[v];
        r1[v] += std::abs(r);
        b1[v] += std::abs(b);
        r2[v] += r * r;
        b2[v] += b * b;
      }
      std::fill(row + rows, row + padded, 0.0F);
    }
    for (std::size_t v = 0; v < rows; ++v) sums(p, v) = {r1[v], b1[v], r2[v], b2[v]};
  }
}

RFactors r_factors(View<const RowSums, 2> sums) {
  RFactors factors;
  double squares = 0;
  for (std::size_t p = 0; p < sums.extent(0); ++p) {
    RowSums total;
    for (std::size_t v = 0; v < sums.extent(1); ++v) {
      const RowSums& row = sums(p, v);
      total.residual_l1 += row.residual_l1;
      total.data_l1 += row.data_l1;
      total.residual_l2 += row.residual_l2;
      total.data_l2 += row.data_l2;
    }
    factors.r1.push_back(ratio(total.residual_l1, total.data_l1));
    factors.r2.push_back(std::sqrt(ratio(total.residual_l2, total.data_l2)));
    squares += total.residual_l2;
  }
  factors.mean_r1 = mean_of_finite(factors.r1);
  factors.mean_r2 = mean_of_finite(factors.r2);
  factors.objective = squares / 2;
  return factors;
}

double step_length(double step, std::size_t projections, std::size_t nz) {
  return step / (static_cast<double>(projections) * static_cast<double>(nz));
}

void gradient_step(View<float, 3> u, std::size_t first_plane, View<const float, 3> gradient, double dt,
                   const Constraints& constraints) {
  const auto length = static_cast<float>(dt);
  const float* g = gradient.data();
  float* value = u.data();
  for_each_voxel(u, first_plane, gradient, constraints,
                 [=](std::size_t i, std::size_t j, float floor, float inside) {
                   value[i] = std::max(floor, value[i] - length * g[j]) * inside;
                 });
}

void accelerated_step(View<float, 3> u, View<float, 3> v, std::size_t first_plane,
                      View<const float, 3> gradient, double dt, double momentum,
                      const Constraints& constraints) {
  const auto length = static_cast<float>(dt), beta = static_cast<float>(momentum);
  const float* g = gradient.data();
  float* value = u.data();
  float* point = v.data();
  for_each_voxel(u, first_plane, gradient, constraints,
                 [=](std::size_t i, std::size_t j, float floor, float inside) {
                   const float next = std::max(floor, point[i] - length * g[j]) * inside;
                   point[i] = next + beta * (next - value[i]);
                   value[i] = next;
                 });
}

double Momentum::next(double objective) {
  if (started && objective > last_objective) t = 1;
  started = true;
  last_objective = objective;
  return advance();
}

double Momentum::advance() {
  const double following = (1 + std::sqrt(1 + 4 * t * t)) / 2;
  const double momentum = (t - 1) / following;
  t = following;
  return momentum;
}

}  // namespace aetos::tomography
