#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"

/// Atoms as Gaussians, projected and held against one measured image. Serial kernels, lengths in Å.
///
/// Atom a at r, seen at rotation R, lies at (u, v, z') = R^T r and adds
///   I_a / (2 pi S) exp(-d² / (2 S)),  S = s²_k + c z'²
/// to the image at a distance d from (u, v): its width s_k belongs to its species k, and grows with the depth
/// z' about the focus plane (the specimen's centre), as a converged probe's does. An image is scale * model +
/// offset.
namespace aetos::tracing {

/// Where each quantity stands in the flat list of the model's parameters.
struct Parameters {
  std::size_t atoms = 0, species = 1;
  std::size_t position(std::size_t atom) const { return 3 * atom; }           ///< x, y, z in Å
  std::size_t intensity(std::size_t atom) const { return 3 * atoms + atom; }  ///< I_a
  std::size_t width(std::size_t k) const { return 4 * atoms + k; }            ///< s²_k in Å²
  std::size_t growth() const { return 4 * atoms + species; }                  ///< c
  std::size_t size() const { return growth() + 1; }
};

struct AtomModel {
  Parameters layout;
  std::vector<std::size_t> species_of;  ///< per atom
};

/// How an image of the model fits a measured one.
struct ImageFit {
  double misfit = 0;  ///< sum over pixels of (measured - scale * model - offset)²
  double scale = 0, offset = 0;
};

/// The model's image, (y, x), without scale and offset.
Array<double, 2> project(const AtomModel& model, std::span<const double> parameters, const Mat3& rotation,
                         const Shape<2>& shape, double pixel_A);

/// The misfit with the best scale and offset for this image, and its gradient to all parameters
/// (overwritten). Scale and offset are at their optimum, so they add nothing to the gradient.
ImageFit image_misfit(const AtomModel& model, std::span<const double> parameters, const Mat3& rotation,
                      View<const float, 2> measured, double pixel_A, std::span<double> gradient);

/// Fisher information of one image on (x, y, z, I) of every atom alone, added to `information` (10 values an
/// atom: upper triangle by rows). `variance(y, x)`: of each pixel; fit: its scale.
void add_fisher_information(const AtomModel& model, std::span<const double> parameters, const Mat3& rotation,
                            double scale, View<const double, 2> variance, double pixel_A,
                            std::span<double> information);

}  // namespace aetos::tracing
