#pragma once

#include <optional>
#include <string>
#include <vector>

#include "aetos/imaging/shift.hpp"
#include "aetos/io/tilt_series.hpp"
#include "aetos/reconstruction/reconstruct.hpp"
#include "aetos/tomography/projector.hpp"
#include "petsc_method.hpp"

namespace aetos::reconstruction {

/// Projections of a subset of os-resire: fewer take fewer passes, of which each takes longer.
inline constexpr std::size_t kSubsetSize = 4;
/// `subsets: auto`.
constexpr std::size_t automatic_subsets(std::size_t projections) {
  return (projections + kSubsetSize - 1) / kSubsetSize;
}

/// A request checked against the header of its input: what will be reconstructed, before any image is read.
struct Plan {
  std::string signal;             ///< name of the images in the file
  std::vector<std::size_t> kept;  ///< the file's images that are used, in its order
  std::vector<std::size_t> held;  ///< images kept out of the fit, to judge it by
  std::vector<EulerAngles> held_angles;
  std::size_t images_in_file = 0, file_ny = 0, file_nx = 0;
  std::vector<imaging::Shift> shifts;       ///< by which each of the file's images is moved; empty = none is
  tomography::Geometry geometry;            ///< after the tilt axis was turned to y
  std::array<std::size_t, 3> written_px{};  ///< the middle of the volume, which is written: all but for films
  double pixel_A = 0;
  bool plain = true;                   ///< theta alone, images as they are: rows are independent
  bool fourier = false;                ///< the Fourier projector
  bool turned = false;                 ///< images are transposed, because the file's tilt axis is x
  bool accelerated = false;            ///< with momentum
  const PetscMethod* petsc = nullptr;  ///< the method, where it is one of PETSc's
  bool preconditioned = false;         ///< with the ramp filter as the initial Hessian
  std::size_t subsets = 1;             ///< of os-resire
  int iterations = 0;
  std::vector<std::string> notes;  ///< to be said, nothing wrong
  std::vector<std::string> warnings;
};

/// Throws InputError where the request cannot be met.
Plan make_plan(const Request& request);

/// Bytes of one generation of checkpoints.
double checkpoint_bytes(const Plan& plan);

/// The plan with other projections in place of its own.
Plan with_projections(const Plan& plan, std::vector<std::size_t> kept, std::vector<EulerAngles> angles);

/// The volume that holds every ray of every view through a film of this middle: as deep, and so wide that no
/// ray leaves it on a side. Throws InputError for tilts along the film.
std::array<std::size_t, 3> film_volume(const std::array<std::size_t, 3>& middle_px,
                                       const tomography::Geometry& geometry);

}  // namespace aetos::reconstruction
