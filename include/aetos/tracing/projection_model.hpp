#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "aetos/core/array.hpp"
#include "aetos/core/geometry.hpp"
#include "aetos/tracing/peak_shape.hpp"

/// Atoms as peaks, projected and held against one measured image. Serial kernels, lengths in Å.
///
/// Atom a at r, seen at rotation R, lies at (u, v, z') = R^T r and adds
///   I_a (1 + f z') T(d², z'; S),  S = s²_k + c z'²
/// to the image at a distance d from (u, v). T is a peak of unit integral (PeakShape); its width s_k belongs
/// to the atom's species k and grows with the depth z' about the focus plane; f is how much brighter or, as
/// the beam is used up, weaker atoms are that lie deeper. An image is scale * model + offset.
namespace aetos::tracing {

/// Where each quantity stands in the flat list of the model's parameters.
struct Parameters {
  std::size_t atoms = 0, species = 1;
  std::size_t position(std::size_t atom) const { return 3 * atom; }           ///< x, y, z in Å
  std::size_t intensity(std::size_t atom) const { return 3 * atoms + atom; }  ///< I_a
  std::size_t width(std::size_t k) const { return 4 * atoms + k; }            ///< s²_k in Å²
  std::size_t growth() const { return 4 * atoms + species; }                  ///< c
  std::size_t fading() const { return growth() + 1; }                         ///< f in 1/Å
  std::size_t of_atoms() const { return fading() + 1; }                       ///< how many up to here
  std::size_t images = 0;  ///< whose poses are parameters too
  /// Three turns in radians and two shifts in Å, which change how the image sees the atoms (Sight::after).
  std::size_t pose(std::size_t image) const { return of_atoms() + 5 * image; }
  std::size_t size() const { return pose(images); }
};

/// Slopes to, or a change of, an image's pose: turns of the atoms about u, v and the beam in radians, then
/// shifts along u and v in Å.
using PoseChange = std::array<double, 5>;

/// How an image sees the atoms: one at r lies at R^T r + (u, v, 0).
struct Sight {
  Sight(const Mat3& rotation_, double u = 0, double v = 0) : rotation(rotation_), u_A(u), v_A(v) {}
  Vec3 place(const Vec3& r) const { return to_beam_frame(rotation, r) + Vec3(u_A, v_A, 0); }
  Sight after(const PoseChange& change) const;

  Mat3 rotation;
  double u_A, v_A;
};

struct AtomModel {
  Parameters layout;
  std::vector<std::size_t> species_of;  ///< per atom
  std::shared_ptr<const PeakShape> shape;
};

/// How an image of the model fits a measured one.
struct ImageFit {
  double misfit = 0;  ///< sum over pixels of weight * (measured - scale * model - offset)²
  double scale = 0, offset = 0;
  double mean_square = 0;  ///< of the residuals, without weights
  PoseChange by_pose{};    ///< slopes of the misfit to the image's pose, at this pose
};

/// The atoms of a model with given parameters, to be seen from any side. Both must outlive it.
class AtomProjector {
 public:
  AtomProjector(const AtomModel& model, std::span<const double> parameters);

  /// The model's image, (y, x), without scale and offset.
  Array<double, 2> project(const Sight& sight, const Shape<2>& shape, double pixel_A) const;

  /// The misfit with the best scale and offset for this image, and its gradient to all parameters of
  /// atoms (overwritten; the first of_atoms()). Scale and offset are at their optimum, so they add nothing to
  /// the gradient. `weight` of each pixel; empty: 1.
  ImageFit misfit(const Sight& sight, View<const float, 2> measured, View<const float, 2> weight,
                  double pixel_A, std::span<double> gradient) const;

  /// Fisher information of one image on (x, y, z, I) of every atom alone, added to `information` (10 values
  /// an atom: upper triangle by rows). `variance(y, x)`: of each pixel; `scale`: of the image's fit.
  void add_fisher_information(const Sight& sight, double scale, View<const double, 2> variance,
                              double pixel_A, std::span<double> information) const;

 private:
  struct Spot;
  void place(Spot& spot, std::size_t atom, const Sight& sight, const Shape<2>& shape, double pixel_A) const;

  const AtomModel& model_;
  std::span<const double> p_;
  std::vector<PeakTable> tables_;  ///< per species
};

}  // namespace aetos::tracing
