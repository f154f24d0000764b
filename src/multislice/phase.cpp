#include "phase.hpp"

namespace aetos::multislice {

void unit_phasors(std::span<const float> phase, std::complex<float>* out) {
  float* __restrict__ result = reinterpret_cast<float*>(out);
  const float* __restrict__ angle = phase.data();
  const auto n = static_cast<std::ptrdiff_t>(phase.size());
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    // Cody and Waite's reduction to -pi/4..pi/4 with pi/2 in three parts, then minimax polynomials (Cephes).
    const float turns = angle[i] * 0.636619772f;
    const int quadrant = static_cast<int>(turns + (turns < 0 ? -0.5f : 0.5f));
    const auto q = static_cast<float>(quadrant);
    const float r = ((angle[i] - q * 1.5703125f) - q * 4.837512969970703e-4f) - q * 7.549789948768648e-8f;
    const float r2 = r * r;
    const float s = r + r * r2 * (-1.6666654611e-1f + r2 * (8.3321608736e-3f + r2 * -1.9515295891e-4f));
    const float c =
        1.0f - 0.5f * r2 +
        r2 * r2 * (4.166664568298827e-2f + r2 * (-1.388731625493765e-3f + r2 * 2.443315711809948e-5f));
    const bool swap = (quadrant & 1) != 0;
    const float cosine = swap ? s : c;
    const float sine = swap ? c : s;
    result[2 * i] = ((quadrant + 1) & 2) != 0 ? -cosine : cosine;
    result[2 * i + 1] = (quadrant & 2) != 0 ? -sine : sine;
  }
}

}  // namespace aetos::multislice
