#pragma once

#include <array>

#include "aetos/core/array.hpp"

namespace aetos::imaging {

/// The image I whose gradient is nearest to (gradient_x, gradient_y), integrated in Fourier space: F[I] =
/// (kx F[gx] + ky F[gy]) / (2 pi i k²) (Lazić, Bosch and Lazar 2016); its lowest value is 0. An axis (y, x)
/// that does not repeat is continued by its mirror image, so that I is not forced to be equal at opposite
/// borders. In the units of the gradient times Å; steps are the distances of the points.
Array<double, 2> integrate_gradient(View<const double, 2> gradient_x, View<const double, 2> gradient_y,
                                    double step_A, const std::array<bool, 2>& repeats);

}  // namespace aetos::imaging
