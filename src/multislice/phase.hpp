#pragma once

#include <complex>
#include <span>

namespace aetos::multislice {

/// out[i] = exp(i phase[i]), to 2e-7. Written as plain arithmetic so that compilers vectorise it and every
/// libm gives the same bits.
void unit_phasors(std::span<const float> phase, std::complex<float>* out);

}  // namespace aetos::multislice
