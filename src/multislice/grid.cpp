#include "aetos/multislice/grid.hpp"

#include <algorithm>
#include <cmath>

#include "aetos/core/units.hpp"

namespace aetos::multislice {

BandLimit BandLimit::of(double dx_A, double dy_A) {
  const double d = std::max(dx_A, dy_A);
  const double end = 0.6666666 / (2 * d);
  return {end - 0.01 / d, end};
}

double BandLimit::operator()(double k) const {
  if (k > end) return 0;
  if (k <= start) return 1;
  return 0.5 * (1 + std::cos(kPi * (k - start) / (end - start)));
}

}  // namespace aetos::multislice
