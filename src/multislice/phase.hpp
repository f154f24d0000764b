#pragma once

#include "lanes.hpp"

namespace aetos::multislice {

/// exp(i angle) of kLanes angles, to 2e-7: plain arithmetic, so that every libm gives the same bits.
[[gnu::always_inline]] inline ComplexLane unit_phasor(const Lane& angle) {
  typedef int Integers __attribute__((vector_size(kLanes * sizeof(int))));
  // Cody and Waite's reduction to -pi/4..pi/4 with pi/2 in three parts, then minimax polynomials (Cephes).
  const Lane turns = angle * 0.636619772f;
  const Lane nearest = turns < 0.0f ? turns - 0.5f : turns + 0.5f;
  const Integers quadrant = __builtin_convertvector(nearest, Integers);
  const Lane q = __builtin_convertvector(quadrant, Lane);
  const Lane r = ((angle - q * 1.5703125f) - q * 4.837512969970703e-4f) - q * 7.549789948768648e-8f;
  const Lane r2 = r * r;
  const Lane s = r + r * r2 * (-1.6666654611e-1f + r2 * (8.3321608736e-3f + r2 * -1.9515295891e-4f));
  const Lane c =
      1.0f - 0.5f * r2 +
      r2 * r2 * (4.166664568298827e-2f + r2 * (-1.388731625493765e-3f + r2 * 2.443315711809948e-5f));
  const Integers odd = (quadrant & 1) != 0;
  const Lane cosine = odd ? s : c, sine = odd ? c : s;
  return {((quadrant + 1) & 2) != 0 ? -cosine : cosine, (quadrant & 2) != 0 ? -sine : sine};
}

}  // namespace aetos::multislice
